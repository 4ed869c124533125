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
from engine.detectors.base import Look, Receipt, RemoteSettings, Sighting
from engine.detectors.cloud.answer_cache import Answer, Answers
from engine.detectors.cloud.jpeg import encoded
from engine.detectors.cloud.service import Conditions, Service
from engine.detectors.nms import sightings
from engine.errors import DetectorError
from engine.record import DetectorFacts, digest
from engine.storage.files import Data

_ENDPOINT = ("AWS_ENDPOINT_URL_REKOGNITION", "AWS_ENDPOINT_URL")
_SERVICE = "amazonaws.com"
_OF_THE_ANSWER = ("policy", "doubt", "glance", "size", "quality", "threshold")
"""Parameters that decide what the record says; the others are the run's own affair."""


class RekognitionSettings(RemoteSettings, frozen=True):
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
    settings_type: ClassVar[type[RemoteSettings]] = RekognitionSettings

    def __init__(self, settings: RekognitionSettings, answers: Answers) -> None:
        self._settings, self._answers = settings, answers
        self._service = Service(
            Conditions(
                settings.workers, settings.rate, settings.connect_timeout, settings.read_timeout, settings.retries
            )
        )
        self._asked_with = digest(f"DetectFaces DEFAULT {self._service.address}".encode())[:16]
        self._calls, self._counting = 0, threading.Lock()
        self._threads = ThreadPoolExecutor(settings.workers, thread_name_prefix="rekognition")

    @classmethod
    def facts(cls, settings: RekognitionSettings) -> DetectorFacts:
        """See `Detector.facts`. No credentials, no region; an address that is not Amazon's is told."""
        own = next((os.environ[name] for name in _ENDPOINT if os.environ.get(name)), None)
        parameters = {name: getattr(settings, name) for name in _OF_THE_ANSWER}
        return DetectorFacts(
            name=cls.name,
            version=optional_imports.versions("boto3", "opencv-python"),
            models=(),
            parameters={**parameters, "service": urlsplit(own).hostname if own else _SERVICE},
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
        return cls(settings, Answers(Data(models.parent).answers))

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Sighting]]:
        """See `Detector.detect`."""
        return [look.sightings for look in self.look(pictures)]

    def look(self, pictures: Sequence[Rgb]) -> list[Look]:
        """See `RemoteDetector.look`.

        Raises:
            InputError: credentials, region or permission are wrong.
            DetectorError: the service cannot be reached or fails, as many calls were made as may be, or it was closed.
        """
        return list(self._threads.map(self._look, pictures))

    def close(self) -> None:
        """Wait for the calls that are under way; no more are made."""
        self._service.close()
        self._threads.shutdown(cancel_futures=True)

    def _look(self, picture: Rgb) -> Look:
        jpeg, sent = encoded(picture, self._settings.quality)
        sha256 = digest(jpeg)
        key = f"{sha256}-{self._asked_with}"
        with self._answers.claimed(key) as kept:
            answer = kept or self._asked(jpeg)
            if kept is None:
                self._answers.keep(key, answer)
        receipt = Receipt(sha256, len(jpeg), answer.request, paid=kept is None)
        return Look(self._sightings(answer, sent, Size(picture.shape[1], picture.shape[0])), receipt)

    def _asked(self, jpeg: bytes) -> Answer:
        with self._counting:
            if self._settings.max_calls is not None and self._calls >= self._settings.max_calls:
                raise DetectorError(
                    f"The run has made the {self._calls} calls that --max-cost allows it: "
                    "run the same command again with a higher limit to resume."
                )
            self._calls += 1
        return self._service.ask(jpeg)

    def _sightings(self, answer: Answer, sent: Size, seen: Size) -> list[Sighting]:
        """Boxes in pixels of the picture, of which black was sent along if it was small, and which may leave it."""
        rows = np.array(answer.faces, np.float64).reshape(-1, 5)
        rows = rows[rows[:, 4] >= self._settings.threshold * 100]
        scale = self._scale(sent, seen)
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1) * [*scale, *scale]
        return sightings(boxes, rows[:, 4] / 100, seen, overlap=1.0)

    @staticmethod
    def _scale(sent: Size, seen: Size) -> tuple[float, float]:
        """Pixels of the picture to a whole side of what was sent: more than it has if black was added."""
        shrunk = sent.width < seen.width or sent.height < seen.height
        return (seen.width, seen.height) if shrunk else (sent.width, sent.height)
