"""Template matching: the grey picture of a face, and the place in another frame that looks most like it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Size
from engine.detection.look_schedule import Grey

_TEMPLATE_PX = 32
"""Longest side of a template: more samples cost time and find the same place."""
_SEARCH_SHARE = 0.4
"""Distance from the expected place, in face sizes, within which a face is searched."""
_SEARCH_MARGIN_PX = 4
_MIN_TEXTURE = 4.0
"""Standard deviation of a template, in grey levels, below which any place looks like it."""


class TemplateMatch(NamedTuple):
    """A place that looks like a face.

    Attributes:
        centre: its centre, in display pixels.
        correlation: how much it looks like the face, up to 1.
    """

    centre: tuple[float, float]
    correlation: float


@dataclass(frozen=True, slots=True)
class FaceTemplate:
    """The picture of a face.

    Attributes:
        samples: the samples, at most `_TEMPLATE_PX` in each direction.
        scale: samples for each display pixel, across and down.
    """

    samples: NDArray[np.uint8]
    scale: tuple[float, float]

    @classmethod
    def cut(cls, grey: Grey, face: Box, display: Size) -> FaceTemplate | None:
        """Cut a face out of a grey picture; None if it has too little texture to be found again."""
        across, down = grey.shape[1] / display.width, grey.shape[0] / display.height
        width, height = face.width * across, face.height * down
        shrink = min(1.0, _TEMPLATE_PX / max(width, height))
        size = max(4, round(width * shrink)), max(4, round(height * shrink))
        samples = _cut_region(grey, (face.centre[0] * across, face.centre[1] * down), (width, height), size)
        if samples is None or float(samples.std()) < _MIN_TEXTURE:
            return None
        return cls(samples, (size[0] / face.width, size[1] / face.height))

    def find(self, grey: Grey, expected: tuple[float, float], display: Size, least: float) -> TemplateMatch | None:
        """Find the place around `expected` that looks most like the face.

        Args:
            grey: the picture.
            expected: centre of the expected place, in display pixels.
            display: display size of the video.
            least: least correlation, 0 to 1; None is returned below it.
        """
        rows, columns = self.samples.shape
        margin = [
            round(_SEARCH_SHARE * max(rows, columns) + _SEARCH_MARGIN_PX * scale * side / of)
            for scale, side, of in zip(
                self.scale, (display.width, display.height), (grey.shape[1], grey.shape[0]), strict=True
            )
        ]
        size = columns + 2 * margin[0], rows + 2 * margin[1]
        across, down = grey.shape[1] / display.width, grey.shape[0] / display.height
        region = size[0] / self.scale[0] * across, size[1] / self.scale[1] * down
        samples = _cut_region(grey, (expected[0] * across, expected[1] * down), region, size)
        if samples is None:
            return None
        likeness = cv2.matchTemplate(samples, self.samples, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(likeness)
        if best < least:
            return None
        centre = (
            expected[0] + (x + _refine(likeness[y, :], x) - margin[0]) / self.scale[0],
            expected[1] + (y + _refine(likeness[:, x], y) - margin[1]) / self.scale[1],
        )
        return TemplateMatch(centre, best)

    def resize(self, factor: float) -> FaceTemplate:
        """Return the template of the same face `factor` times as large in the picture."""
        return FaceTemplate(self.samples, (self.scale[0] / factor, self.scale[1] / factor))


def _cut_region(
    grey: Grey, centre: tuple[float, float], region: tuple[float, float], size: tuple[int, int]
) -> NDArray[np.uint8] | None:
    """Return a region of a picture, scaled to `size` (columns, rows); what lies outside repeats the border.

    None: the centre lies outside.
    """
    if not (0 <= centre[0] < grey.shape[1] and 0 <= centre[1] < grey.shape[0]):
        return None
    left, top = (middle - side / 2 for middle, side in zip(centre, region, strict=True))
    step_x, step_y = region[0] / size[0], region[1] / size[1]
    # The middle of the first sample lies half a step inside the region.
    to_source = np.array([[step_x, 0, left + step_x / 2 - 0.5], [0, step_y, top + step_y / 2 - 0.5]])
    if max(step_x, step_y) > 1.5:
        # A template of a large face takes means over its samples, so that noise does not decide.
        return _cut_shrunk(grey, (left, top), region, size)
    return np.asarray(
        cv2.warpAffine(
            grey, to_source, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
    )


def _cut_shrunk(
    grey: Grey, corner: tuple[float, float], region: tuple[float, float], size: tuple[int, int]
) -> NDArray[np.uint8]:
    left, top = (round(value) for value in corner)
    right, bottom = (round(value + side) for value, side in zip(corner, region, strict=True))
    rows, columns = grey.shape
    inside = grey[max(0, top) : min(rows, bottom), max(0, left) : min(columns, right)]
    padded = cv2.copyMakeBorder(
        inside,
        max(0, -top),
        max(0, bottom - rows),
        max(0, -left),
        max(0, right - columns),
        cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA))


def _refine(values: NDArray[np.float32], place: int) -> float:
    """Return how far the peak of a parabola through a greatest value and its neighbours lies from it, in samples."""
    if not 0 < place < len(values) - 1:
        return 0.0
    before, at, after = (float(value) for value in values[place - 1 : place + 2])
    bend = before - 2 * at + after
    # On a thousandth of a sample: the last digits depend on the instructions that the processor has.
    return round(max(-0.5, min(0.5, (before - after) / (2 * bend))), 3) if bend < 0 else 0.0
