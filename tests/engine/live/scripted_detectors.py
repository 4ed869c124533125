"""Detectors without a model that see white patches, and do what a file tells them."""

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


class MoodySettings(DetectorSettings, frozen=True):
    """`mood` is the path of a file whose word is obeyed at every picture; `seconds` is how long a look takes."""

    mood: str = ""
    seconds: float = 0.0


class Moody:
    """Sees the box around everything white; 20 times slower, dying or hanging when its file says so."""

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
        mood = Path(self._settings.mood).read_text() if self._settings.mood else ""
        time.sleep(self._settings.seconds * (20 if mood == "slow" else 1))
        if mood == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if mood == "hang":
            signal.pause()
        return [[] if mood == "blind" else seen(picture, self.name) for picture in pictures]

    def close(self) -> None:
        pass


class Swift(Moody):
    """The same under another name, for each frame."""

    name: ClassVar[str] = "swift"


def seen(picture: Rgb, detector: str) -> list[Detection]:
    rows, columns = np.nonzero(picture.min(axis=2) >= WHITE)
    if not len(rows):
        return []
    edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return [Detection(detector, Box(*map(float, edges)), 0.9)]
