"""A made-up detector that can look at parts: every place that is almost white is a face."""

from typing import ClassVar

import cv2
import msgspec

from engine.core.geometry import Box
from engine.detectors.base import DetectorSettings
from engine.detectors.table import DetectorRow
from engine.record import Detection, DetectorFacts

NAME = "bright-square"
ROW = DetectorRow(class_path="tests.engine.detectors.bright_square_detector:BrightSquare", frame_cost_s=0.01)


class BrightSquareSettings(DetectorSettings, frozen=True):
    side: int = 320


class BrightSquare:
    name: ClassVar[str] = NAME
    settings_type: ClassVar[type[DetectorSettings]] = BrightSquareSettings

    @classmethod
    def describe(cls, settings):
        return DetectorFacts(cls.name, {}, (), msgspec.structs.asdict(settings))

    @classmethod
    def longest_side(cls, settings):
        return settings.side

    @classmethod
    def load(cls, settings, models):
        return cls()

    def detect(self, pictures):
        return [list(self._find_squares(picture)) for picture in pictures]

    def detect_parts(self, parts, whole):
        assert all(part.shape[1] <= whole.width and part.shape[0] <= whole.height for part in parts)
        return self.detect(parts)

    def _find_squares(self, picture):
        bright = (picture.min(axis=2) > 225).astype("uint8")
        for left, top, width, height, area in cv2.connectedComponentsWithStats(bright)[2][1:].tolist():
            if area > 16:
                yield Detection(self.name, Box(left, top, left + width, top + height), 0.9)

    def close(self):
        pass
