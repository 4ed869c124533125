"""Amazon Rekognition's DetectFaces: pictures leave the machine, and every call costs money.

Rekognition finds faces of at least about 40 pixels in a picture of 1920x1080, and proportionally larger ones in larger
pictures, so a larger picture gains nothing. It returns the 100 largest faces.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

import cv2
import msgspec
import numpy as np

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import optional_imports
from engine.detectors.base import Receipt, RemoteAnswer, RemoteDetectorSettings
from engine.detectors.cloud.answer_cache import AnswerCache, ServiceAnswer
from engine.detectors.cloud.jpeg import encode_jpeg
from engine.detectors.cloud.service import CallSettings, RekognitionClient
from engine.detectors.nms import detections_from_boxes
from engine.errors import DetectorError
from engine.record import Detection, DetectorFacts, sha256_hex
from engine.storage.data_folder import DataFolder

_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_REKOGNITION", "AWS_ENDPOINT_URL")
_DEFAULT_SERVICE = "amazonaws.com"
_ANSWER_PARAMETERS = ("policy", "doubt", "glance", "size", "quality", "threshold")
"""Parameters that decide the answers, and so go into the record."""


class RekognitionSettings(RemoteDetectorSettings, frozen=True):
    """Parameters of Rekognition.

    Attributes:
        size: longest side in pixels of the pictures that are sent; larger frames are scaled down to it.
        quality: JPEG quality, 1 to 100.
        threshold: least score of a detection.
        connect_timeout: seconds to wait for a connection. This parameter and those below do not change an answer.
        read_timeout: seconds to wait for an answer.
        retries: botocore's retry mode. "adaptive" calls more slowly than the quota requires.
    """

    size: Annotated[int, msgspec.Meta(ge=80, le=4096)] = 1920
    quality: Annotated[int, msgspec.Meta(ge=50, le=100)] = 92
    threshold: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.5
    connect_timeout: Annotated[float, msgspec.Meta(gt=0.0)] = 10.0
    read_timeout: Annotated[float, msgspec.Meta(gt=0.0)] = 30.0
    retries: Literal["standard", "adaptive"] = "standard"


class Rekognition:
    """Calls Amazon Rekognition, many calls at once, at the rate that the account admits."""

    name: ClassVar[str] = "rekognition"
    settings_type: ClassVar[type[RemoteDetectorSettings]] = RekognitionSettings

    def __init__(self, settings: RekognitionSettings, answers: AnswerCache) -> None:
        self._settings, self._answer_cache = settings, answers
        self._client = RekognitionClient(
            CallSettings(
                settings.workers, settings.rate, settings.connect_timeout, settings.read_timeout, settings.retries
            )
        )
        self._request_fingerprint = sha256_hex(f"DetectFaces DEFAULT {self._client.endpoint}".encode())[:16]
        self._call_count, self._count_lock = 0, threading.Lock()
        self._executor = ThreadPoolExecutor(settings.workers, thread_name_prefix="rekognition")

    @classmethod
    def describe(cls, settings: RekognitionSettings) -> DetectorFacts:
        """See `Detector.describe`. Credentials and region are left out; a service other than Amazon's is named."""
        endpoint = next((os.environ[name] for name in _ENDPOINT_VARIABLES if os.environ.get(name)), None)
        parameters = {name: getattr(settings, name) for name in _ANSWER_PARAMETERS}
        return DetectorFacts(
            name=cls.name,
            version=optional_imports.find_versions("boto3", "opencv-python"),
            models=(),
            parameters={**parameters, "service": urlsplit(endpoint).hostname if endpoint else _DEFAULT_SERVICE},
        )

    @classmethod
    def longest_side(cls, settings: RekognitionSettings) -> int | None:
        """Return the size to which pictures are scaled before they are sent."""
        return settings.size

    @classmethod
    def load(cls, settings: RekognitionSettings, models: Path) -> Self:
        """See `Detector.load`. Answers are kept in the data folder that contains `models`.

        Raises:
            InputError: boto3 is not installed, or finds no credentials or no region.
        """
        cv2.setNumThreads(1)
        return cls(settings, AnswerCache(DataFolder(models.parent).remote_answers))

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [answer.detections for answer in self.detect_with_receipts(pictures)]

    def detect_with_receipts(self, pictures: Sequence[Rgb]) -> list[RemoteAnswer]:
        """See `RemoteDetector.detect_with_receipts`.

        Raises:
            InputError: credentials, region or permission are wrong.
            DetectorError: the service cannot be reached or fails, the limit of calls is reached, or `close` was called.
        """
        return list(self._executor.map(self._detect_picture, pictures))

    def close(self) -> None:
        """Make no more calls, and wait for those that are under way."""
        self._client.close()
        self._executor.shutdown(cancel_futures=True)

    def _detect_picture(self, picture: Rgb) -> RemoteAnswer:
        jpeg, sent = encode_jpeg(picture, self._settings.quality)
        sha256 = sha256_hex(jpeg)
        key = f"{sha256}-{self._request_fingerprint}"
        # Locked while the call is under way: two frames with the same picture are paid for once.
        with self._answer_cache.lock_key(key) as kept:
            answer = kept or self._call_service(jpeg)
            if kept is None:
                self._answer_cache.store_answer(key, answer)
        receipt = Receipt(sha256, len(jpeg), answer.request, paid=kept is None)
        return RemoteAnswer(self._to_detections(answer, sent, Size(picture.shape[1], picture.shape[0])), receipt)

    def _call_service(self, jpeg: bytes) -> ServiceAnswer:
        with self._count_lock:
            if self._settings.max_calls is not None and self._call_count >= self._settings.max_calls:
                raise DetectorError(
                    f"The run has made the {self._call_count} calls that --max-cost allows it: "
                    "run the same command again with a higher limit to resume."
                )
            self._call_count += 1
        return self._client.detect_faces(jpeg)

    def _to_detections(self, answer: ServiceAnswer, sent_size: Size, picture_size: Size) -> list[Detection]:
        """Scale the faces of an answer to pixels of the picture and clip them to it."""
        rows = np.array(answer.faces, np.float64).reshape(-1, 5)
        rows = rows[rows[:, 4] >= self._settings.threshold * 100]
        scale = self._answer_scale(sent_size, picture_size)
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1) * [*scale, *scale]
        return detections_from_boxes(boxes, rows[:, 4] / 100, picture_size, max_iou=1.0, detector=self.name)

    @staticmethod
    def _answer_scale(sent_size: Size, picture_size: Size) -> tuple[float, float]:
        """Return the pixels of the picture for a whole side of what was sent.

        A small picture is sent with black at the right and below, so its whole side is longer than the picture.
        """
        shrunk = sent_size.width < picture_size.width or sent_size.height < picture_size.height
        return (picture_size.width, picture_size.height) if shrunk else (sent_size.width, sent_size.height)
