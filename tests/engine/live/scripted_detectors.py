"""Detectors without a model that find white patches, and behave as a file tells them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from engine.core.geometry import Box
from engine.core.picture import Rgb
from engine.detectors.base import DetectorSettings
from engine.record import Detection, DetectorFacts

WHITE = 230
"""Least value of a white sample; masks and noise stay below."""


class MoodySettings(DetectorSettings, frozen=True):
    """Settings of a scripted detector.

    Attributes:
        mood: path of a file that is read at every picture: "wait", "crash", "hang", "blind", or empty.
        seconds: time that one picture takes.
        pixel_seconds: further time for each pixel of the picture.
    """

    mood: str = ""
    seconds: float = 0.0
    pixel_seconds: float = 0.0


class Moody:
    """Finds the box around everything white; waiting, dying or hanging when its file says so."""

    name: ClassVar[str] = "moody"
    settings_type: ClassVar[type[DetectorSettings]] = MoodySettings

    def __init__(self, settings: MoodySettings) -> None:
        self._settings = settings

    @classmethod
    def describe(cls, settings: DetectorSettings) -> DetectorFacts:
        return DetectorFacts(cls.name, {}, (), {})

    @classmethod
    def longest_side(cls, settings: DetectorSettings) -> int | None:
        return 320

    @classmethod
    def load(cls, settings: DetectorSettings, models: Path) -> Self:
        assert isinstance(settings, MoodySettings)
        return cls(settings)

    def detect(self, pictures: Sequence[Rgb]) -> list[list[Detection]]:
        while (mood := self._read_mood()) == "wait":
            time.sleep(0.01)
        pixels = sum(picture.shape[0] * picture.shape[1] for picture in pictures)
        time.sleep(self._settings.seconds + self._settings.pixel_seconds * pixels)
        if mood == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if mood == "hang":
            signal.pause()
        return [[] if mood == "blind" else find_patch(picture, self.name) for picture in pictures]

    def _read_mood(self) -> str:
        return Path(self._settings.mood).read_text() if self._settings.mood else ""

    def close(self) -> None:
        pass


class Swift(Moody):
    """The same under another name, for a detector that looks at every frame."""

    name: ClassVar[str] = "swift"


def find_patch(picture: Rgb, detector: str) -> list[Detection]:
    rows, columns = np.nonzero(picture.min(axis=2) >= WHITE)
    if not len(rows):
        return []
    edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return [Detection(detector, Box(*map(float, edges)), 0.9)]
