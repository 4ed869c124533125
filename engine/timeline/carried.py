"""Paths of faces that were carried by template matching into frames between looks, and their places in a track."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from engine.core.geometry import Box

_SAME_FACE_IOU = 0.5
"""A path belongs to the face of its look that overlaps its source at least so much."""
_AGREEMENT_IOU = 0.4
"""Least IoU at which two estimates of a place agree; below it both places are covered."""


class CarriedPath(msgspec.Struct, frozen=True, array_like=True):
    """One face of a look, carried forwards or backwards in time until it was lost.

    Attributes:
        look: index of the frame that was looked at.
        source: box of the face there.
        step: 1 for forwards, -1 for backwards.
        boxes: its boxes in the frames look + step, look + 2 * step, and so on.
    """

    look: int
    source: Box
    step: int
    boxes: tuple[Box, ...]


class _Estimate(NamedTuple):
    """A carried box and the number of frames from the look that it comes from."""

    box: Box
    distance: int


def select_paths(paths_of_look: Iterable[CarriedPath], faces: Sequence[Box]) -> list[list[CarriedPath]]:
    """Return for each face of one frame the paths that start at it.

    Args:
        paths_of_look: paths whose look is that frame.
        faces: boxes of its faces.
    """
    selected: list[list[CarriedPath]] = [[] for _ in faces]
    for path in paths_of_look:
        # A face may have grown by a detector that answered later, so equal boxes cannot be asked for.
        overlap, place = max(((path.source.iou(box), -at) for at, box in enumerate(faces)), default=(0.0, 0))
        if overlap >= _SAME_FACE_IOU:
            selected[-place].append(path)
    return selected


def place_carried(detected: Mapping[int, Box], paths: Iterable[CarriedPath], max_gap: int) -> dict[int, Box]:
    """Return the boxes of a track in frames where it was carried and not detected.

    Args:
        detected: boxes of the track's detections by frame, rising.
        paths: paths that start at those detections.
        max_gap: longest gap between detections, in frames, in which a box that was carried one way only is checked
            against the straight line.
    """
    estimates: tuple[dict[int, _Estimate], dict[int, _Estimate]] = ({}, {})
    for path in paths:
        one_way = estimates[path.step < 0]
        for distance, box in enumerate(path.boxes, start=1):
            frame = path.look + path.step * distance
            # The nearest look knows best: its template is the freshest.
            if frame not in detected and (frame not in one_way or distance < one_way[frame].distance):
                one_way[frame] = _Estimate(box, distance)
    forwards, backwards = estimates
    _add_straight_lines(forwards, backwards, detected, max_gap)
    return {
        frame: _join(forwards.get(frame), backwards.get(frame)) for frame in sorted(forwards.keys() | backwards.keys())
    }


def _add_straight_lines(
    forwards: dict[int, _Estimate], backwards: dict[int, _Estimate], detected: Mapping[int, Box], max_gap: int
) -> None:
    """Where a face was carried one way only between two detections, let the straight line stand for the other way."""
    for before, after in pairwise(detected):
        if after - before - 1 > max_gap:
            continue
        for frame in range(before + 1, after):
            if (frame in forwards) != (frame in backwards):
                share = (frame - before) / (after - before)
                line = detected[before].interpolate(detected[after], share)
                if frame in forwards:
                    backwards[frame] = _Estimate(line, after - frame)
                else:
                    forwards[frame] = _Estimate(line, frame - before)


def _join(forwards: _Estimate | None, backwards: _Estimate | None) -> Box:
    """Join the estimates of both ways into one box."""
    if forwards is None or backwards is None:
        known = forwards or backwards
        assert known is not None, "a frame without an estimate is not asked about"
        return known.box
    # Where the two ways disagree, one of them follows something else, and it is not known which.
    if forwards.box.iou(backwards.box) < _AGREEMENT_IOU:
        return forwards.box.hull(backwards.box)
    share = forwards.distance / (forwards.distance + backwards.distance)
    return forwards.box.interpolate(backwards.box, share)
