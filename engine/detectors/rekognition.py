"""Amazon Rekognition's DetectFaces: pictures leave the machine, and every call costs money.

Rekognition sees faces of at least about 40 pixels in a picture of 1920x1080, and proportionally larger ones in larger
pictures, so nothing is gained by sending more than that, and nothing lost by sending no more. It answers with the 100
largest faces.
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
"""Parameters that decide what the record says; the others are the run's own affair."""


class RekognitionSettings(RemoteDetectorSettings, frozen=True):
    """Parameters of Rekognition.

    Attributes:
        size: longest side in pixels of the pictures that are sent; larger frames are scaled down to it.
        quality: of their JPEG, 1 to 100.
        threshold: least score of a sighting.
        connect_timeout: seconds to wait for a connection; does not change an answer.
        read_timeout: seconds to wait for an answer; does not change it.
        retries: botocore's retry mode. "adaptive" holds back more than the quota asks for; does not change an answer.
    """

    size: Annotated[int, msgspec.Meta(ge=80, le=4096)] = 1920
    quality: Annotated[int, msgspec.Meta(ge=50, le=100)] = 92
    threshold: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.5
    connect_timeout: Annotated[float, msgspec.Meta(gt=0.0)] = 10.0
    read_timeout: Annotated[float, msgspec.Meta(gt=0.0)] = 30.0
    retries: Literal["standard", "adaptive"] = "standard"


class Rekognition:
    """Asks Amazon Rekognition, many calls at once, at the rate that the account admits."""

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
        """See `Detector.facts`. No credentials, no region; an address that is not Amazon's is told."""
        own = next((os.environ[name] for name in _ENDPOINT_VARIABLES if os.environ.get(name)), None)
        parameters = {name: getattr(settings, name) for name in _ANSWER_PARAMETERS}
        return DetectorFacts(
            name=cls.name,
            version=optional_imports.find_versions("boto3", "opencv-python"),
            models=(),
            parameters={**parameters, "service": urlsplit(own).hostname if own else _DEFAULT_SERVICE},
        )

    @classmethod
    def longest_side(cls, settings: RekognitionSettings) -> int | None:
        """The size at which pictures are sent."""
        return settings.size

    @classmethod
    def load(cls, settings: RekognitionSettings, models: Path) -> Self:
        """See `Detector.load`. Answers are kept in the data folder in which `models` lies.

        Raises:
            InputError: boto3 is not installed, or finds no credentials or no region.
        """
        cv2.setNumThreads(1)
        return cls(settings, AnswerCache(DataFolder(models.parent).remote_answers))

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        """See `Detector.detect`."""
        return [look.detections for look in self.detect_with_receipts(pictures)]

    def detect_with_receipts(self, pictures: Sequence[Rgb]) -> list[RemoteAnswer]:
        """See `RemoteDetector.look`.

        Raises:
            InputError: credentials, region or permission are wrong.
            DetectorError: the service cannot be reached or fails, as many calls were made as may be, or it was closed.
        """
        return list(self._executor.map(self._detect_picture, pictures))

    def close(self) -> None:
        """Wait for the calls that are under way; no more are made."""
        self._client.close()
        self._executor.shutdown(cancel_futures=True)

    def _detect_picture(self, picture: Rgb) -> RemoteAnswer:
        jpeg, sent = encode_jpeg(picture, self._settings.quality)
        sha256 = sha256_hex(jpeg)
        key = f"{sha256}-{self._request_fingerprint}"
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
        """Boxes in pixels of the picture, of which black was sent along if it was small, and which may leave it."""
        rows = np.array(answer.faces, np.float64).reshape(-1, 5)
        rows = rows[rows[:, 4] >= self._settings.threshold * 100]
        scale = self._answer_scale(sent_size, picture_size)
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1) * [*scale, *scale]
        return detections_from_boxes(boxes, rows[:, 4] / 100, picture_size, max_iou=1.0, detector=self.name)

    @staticmethod
    def _answer_scale(sent_size: Size, picture_size: Size) -> tuple[float, float]:
        """Pixels of the picture to a whole side of what was sent: more than it has if black was added."""
        shrunk = sent_size.width < picture_size.width or sent_size.height < picture_size.height
        return (picture_size.width, picture_size.height) if shrunk else (sent_size.width, sent_size.height)
