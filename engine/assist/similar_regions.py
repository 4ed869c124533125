"""Places of one frame that look like an example face: by its grey picture at several sizes, then by colours and shape.

Two looks at each place keep the list short: template matching alone finds every bright oval, colours alone every wall
of the same hue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.detection.look_schedule import Grey
from engine.rendering.portraits import measure_appearance
from engine.review.people import Appearance, compare_appearances

PICTURE_SIDE_PX = 960
"""Longest side of the pictures that are compared."""
_TEMPLATE_PX = 24
"""Longest side of the example, to which every size that is tried is scaled: small, because the whole frame is searched.
"""
_SIZES = (0.5, 0.65, 0.8, 1.0, 1.25, 1.6, 2.0)
"""Sizes of a face that are tried, times the example's."""
_MIN_CORRELATION = 0.6
_MAX_PEAKS = 6
"""Most places of one size and frame that are looked at more closely."""
_MIN_LIKENESS = 0.8
"""Least likeness in colours and shape; from 1 on, Review would join two tracks into one person."""
_MIN_LIKENESS_OF_DETECTION = 0.6
"""The same where a detector, with a low threshold, takes the place for a face."""
_SAME_PLACE_SHARE = 0.6
"""Share of the smaller of two places in the other from which both are one: a face, and a part of it."""


class Region(NamedTuple):
    """A place in one frame that looks like the example.

    Attributes:
        box: the place, in display pixels.
        similarity: 0 to 1.
    """

    box: Box
    similarity: float


@dataclass(frozen=True, slots=True)
class Example:
    """The face that a person chose.

    Attributes:
        samples: its grey picture, longest side 24 px.
        size: its size in display pixels.
        appearance: its colours and shape.
        display: display size of the video.
    """

    samples: NDArray[np.uint8]
    size: tuple[float, float]
    appearance: Appearance
    display: Size

    @classmethod
    def cut(cls, grey: Grey, picture: Rgb, box: Box, display: Size) -> Self | None:
        """Cut the example out of its frame; None if it is too small to be recognised."""
        across, down = grey.shape[1] / display.width, grey.shape[0] / display.height
        left, top, right, bottom = box.scale_axes(across, down).to_pixel_bounds()
        cut = grey[max(0, top) : bottom, max(0, left) : right]
        appearance = measure_appearance(picture, box.scale_axes(across, down))
        if min(cut.shape, default=0) < 2 or appearance is None:
            return None
        shrink = _TEMPLATE_PX / max(cut.shape)
        size = max(4, round(cut.shape[1] * shrink)), max(4, round(cut.shape[0] * shrink))
        samples = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return cls(samples, (box.width, box.height), appearance, display)

    def find(self, grey: Grey, picture: Rgb, detected: Iterable[Box]) -> list[Region]:
        """Find the places of a frame that look like the example, most similar first, each once.

        Args:
            grey: its grey picture.
            picture: the same in colour.
            detected: what a detector takes for faces, in display pixels.
        """
        found = [region for box in detected if (region := self._look_at(picture, box, _MIN_LIKENESS_OF_DETECTION))]
        found += [region for box in self._match(grey) if (region := self._look_at(picture, box, _MIN_LIKENESS))]
        kept: list[Region] = []
        for region in sorted(found, key=lambda one: (-one.similarity, one.box.left, one.box.top)):
            if not any(_is_same_place(region.box, other.box) for other in kept):
                kept.append(region)
        return kept

    def _look_at(self, picture: Rgb, box: Box, least: float) -> Region | None:
        inside = box.round_outwards(self.display)
        if inside is None:
            return None
        across, down = picture.shape[1] / self.display.width, picture.shape[0] / self.display.height
        appearance = measure_appearance(picture, inside.scale_axes(across, down))
        likeness = 0.0 if appearance is None else compare_appearances([self.appearance], [appearance])
        return Region(inside, round(min(1.0, likeness), 3)) if likeness >= least else None

    def _match(self, grey: Grey) -> Iterator[Box]:
        """Yield the places whose grey picture is like the example's, at each size."""
        face_px = max(self.size) * grey.shape[1] / self.display.width
        for size in _SIZES:
            scale = _TEMPLATE_PX / (face_px * size)
            columns, rows = round(grey.shape[1] * scale), round(grey.shape[0] * scale)
            if scale > 2 or columns < self.samples.shape[1] or rows < self.samples.shape[0]:
                continue
            scaled = cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
            likeness = cv2.matchTemplate(scaled, self.samples, cv2.TM_CCOEFF_NORMED)
            to_display = self.display.width / columns
            for x, y in _find_peaks(likeness, max(self.samples.shape) // 2):
                left, top = x * to_display, y * to_display
                yield Box(left, top, left + self.size[0] * size, top + self.size[1] * size)


def _is_same_place(one: Box, other: Box) -> bool:
    return one.intersection_area(other) >= _SAME_PLACE_SHARE * min(one.area, other.area)


def _find_peaks(likeness: NDArray[np.float32], distance: int) -> Iterator[tuple[int, int]]:
    """Yield the places of the greatest values, (column, row), at least `distance` apart."""
    rest = likeness.copy()
    for _ in range(_MAX_PEAKS):
        _, value, _, (x, y) = cv2.minMaxLoc(rest)
        # A part of the frame without texture gives no number.
        if not value >= _MIN_CORRELATION:
            return
        yield x, y
        rest[max(0, y - distance) : y + distance + 1, max(0, x - distance) : x + distance + 1] = -1.0
