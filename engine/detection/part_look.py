"""The third part of the choice of frames to look at: a small change is looked at alone before the whole picture is.

Something that appears in a corner can be a face only there. The detectors look at the surroundings of the change, at
the scale of the whole picture and for a share of its cost. Only if they see something like a face that the looks before
and after have not found, the frame is looked at whole; what they see in a part alone never counts as a detection.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, count
from typing import NamedTuple

import msgspec

from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.detection.look_decision import DecisionContext, UnknownChange
from engine.detectors.ensemble import BatchesByDetector
from engine.detectors.scale import scale_to_display
from engine.media.frame import SourceFrame
from engine.record import Detection
from engine.timeline.fuse import is_same_face
from engine.timeline.track_confirmation import find_supported_faces

_STEP = 1 / 6
"""Sides of parts are multiples of this share of the picture's longest side: networks prepare for each new size."""
_MARGIN = 1 / 30
"""Least distance of a change from the border of its part, as a share of the longest side: often a part of a face
changes by more than its outline."""
_LEAST_SUPPORT = 0.3
"""Support of something like a face, far below what a face needs."""


class _OpenLook(NamedTuple):
    frame: int
    unknown: UnknownChange
    parts: Sequence[Box]


class PartLooks:
    """Looks at parts that are not answered yet.

    Args:
        context: what deciding needs to know of the run.
        max_share: greatest share of the picture that all parts of a frame have together.
        longest_sides: by detector, longest side of its pictures.
    """

    def __init__(self, context: DecisionContext, max_share: float, longest_sides: Mapping[str, int | None]) -> None:
        self._context, self._max_share, self._longest_sides = context, max_share, longest_sides
        self._open: dict[int, _OpenLook] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, task: int) -> bool:
        return task in self._open

    def choose_parts(self, unknown: UnknownChange) -> Sequence[Box]:
        """Return the parts that show all changes, in display pixels; empty if they are too much of the picture."""
        display = self._context.display
        parts = choose_parts(unknown.places, display)
        share = sum(part.area for part in parts) / (display.width * display.height)
        return parts if share <= self._max_share else ()

    def cut(self, frame: SourceFrame, parts: Sequence[Box], longest_side_px: int | None) -> tuple[list[Rgb], Size]:
        """Cut parts out of a frame of this longest side; also return the size of the whole picture."""
        picture = frame.rgb(longest_side_px)
        whole = Size(picture.shape[1], picture.shape[0])
        bounds = [_find_bounds(part, self._context.display, whole) for part in parts]
        return [picture[top:bottom, left:right] for left, top, right, bottom in bounds], whole

    def add(self, task: int, frame: int, unknown: UnknownChange, parts: Sequence[Box]) -> None:
        """Remember a look that is submitted."""
        self._open[task] = _OpenLook(frame, unknown, parts)

    def take_answers(self, task: int, answers: BatchesByDetector) -> tuple[int, bool]:
        """Take the answers of all detectors; return the frame, and True if it is to be looked at whole."""
        look, display = self._open.pop(task), self._context.display
        found: list[Detection] = []
        for detector, batch in answers.items():
            side = self._longest_sides[detector]
            for part, detections in zip(look.parts, batch.detections, strict=True):
                left, top, _, _ = _find_bounds(part, display, display.fit(side))
                moved = (msgspec.structs.replace(one, box=one.box.move(left, top)) for one in detections)
                found += scale_to_display(moved, side, display)
        return look.frame, self._shows_unknown_face(found, look.unknown)

    def _shows_unknown_face(self, found: Iterable[Detection], unknown: UnknownChange) -> bool:
        context = self._context
        return any(
            not any(is_same_face(face, known, context.fusion) for known in faces)
            for face in find_supported_faces(found, context.fusion, context.confident_scores, _LEAST_SUPPORT)
            for faces in (unknown.before, unknown.after)
        )


def choose_parts(places: Iterable[Box], display: Size) -> list[Box]:
    """Return few parts of a picture, in whole display pixels, that show some places with their surroundings.

    Args:
        places: shares of the picture's sides.
        display: size of the picture.
    """
    margin = display.longest_side * _MARGIN
    parts = [
        _round_to_steps(Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin), display)
        for box in (place.scale_axes(display.width, display.height) for place in places)
    ]
    # Two parts become one where that is no more to look at; each time the two that save most.
    kept = dict(enumerate(parts))
    savings = {(one, other): _measure_saving(kept[one], kept[other], display) for one, other in combinations(kept, 2)}
    for joint_number in count(len(kept)):
        best = max(savings, key=lambda pair: (savings[pair], pair), default=None)
        if best is None or savings[best] < 0:
            break
        joint = _round_to_steps(kept.pop(best[0]).hull(kept.pop(best[1])), display)
        savings = {pair: saving for pair, saving in savings.items() if not {*pair} & {*best}}
        savings |= {(number, joint_number): _measure_saving(part, joint, display) for number, part in kept.items()}
        kept[joint_number] = joint
    return sorted(kept.values(), key=lambda part: (part.left, part.top))


def _measure_saving(one: Box, other: Box, display: Size) -> float:
    """Return by how much less there is to look at if two parts become one."""
    return one.area + other.area - _round_to_steps(one.hull(other), display).area


def _round_to_steps(box: Box, display: Size) -> Box:
    """Return a box with sides of whole steps, or as long as the picture's, around one that may extend beyond it."""
    step = max(1, round(display.longest_side * _STEP))
    left, right = _round_span(box.left, box.right, step, display.width)
    top, bottom = _round_span(box.top, box.bottom, step, display.height)
    return Box(left, top, right, bottom)


def _round_span(start: float, end: float, step: int, limit: int) -> tuple[int, int]:
    start, end = max(0.0, start), min(float(limit), end)
    length = min(limit, step * math.ceil((end - start) / step))
    first = min(max(0, round((start + end - length) / 2)), limit - length)
    return first, first + length


def _find_bounds(part: Box, display: Size, picture: Size) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a part in the pixels of a picture that is scaled."""
    scaled = part.scale_axes(picture.width / display.width, picture.height / display.height)
    left, top, right, bottom = scaled.to_pixel_bounds()
    return left, top, min(right, picture.width), min(bottom, picture.height)
