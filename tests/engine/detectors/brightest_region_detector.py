"""A detector that somebody made up: a face is wherever the picture is brightest."""

from typing import Annotated, ClassVar

import msgspec
import numpy as np

from engine.core.geometry import Box
from engine.detectors.base import DetectorSettings
from engine.record import Detection, DetectorFacts


class BrightestSettings(DetectorSettings, frozen=True):
    share: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.2


class Brightest:
    name: ClassVar[str] = "brightest"
    settings_type: ClassVar[type[DetectorSettings]] = BrightestSettings

    def __init__(self, settings):
        self._settings = settings

    @classmethod
    def describe(cls, settings):
        return DetectorFacts(cls.name, {}, (), msgspec.structs.asdict(settings))

    @classmethod
    def longest_side(cls, settings):
        return 320

    @classmethod
    def load(cls, settings, models):
        return cls(settings)

    def detect(self, pictures):
        return [[self._look(picture)] for picture in pictures]

    def _look(self, picture):
        rows, columns = picture.shape[:2]
        y, x = np.unravel_index(picture.sum(axis=2, dtype=np.int64).argmax(), (rows, columns))
        side = max(8, round(min(rows, columns) * self._settings.share))
        left, top = min(int(x), columns - side), min(int(y), rows - side)
        return Detection(self.name, Box(left, top, left + side, top + side), 0.9)

    def close(self):
        pass
