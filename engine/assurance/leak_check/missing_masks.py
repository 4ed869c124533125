"""Masks that a record should have by its own settings, and lacks: no detector is needed to tell.

A detection fills the gaps of every track, and extends each track before its first sighting and after its last (see
`engine.timeline.smooth`). A record in which a track is interrupted, or ends at once, is not what its detection wrote:
a mask was lost, or taken away.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.core.geometry import Box, Size
from engine.record import Face, Record

_BORDER = 1.0
"""Pixels from the border within which a face may have left the picture."""


class Owed(NamedTuple):
    """A mask that is missing: whose, in which frame, and about where."""

    track: int
    frame: int
    box: Box


def owed(record: Record) -> Iterator[Owed]:
    """The masks that a record lacks by its own settings, track by track; none in a record as detection writes it.

    Nothing is said of a live record, whose tracks end when their time is over, nor of a single picture.
    """
    if record.detection.mode == "live" or len(record.frames) < 2:
        return
    courses: defaultdict[int, list[tuple[int, Face]]] = defaultdict(list)
    for frame in record.frames:
        for face in frame.faces:
            courses[face.track].append((frame.index, face))
    for track, course in sorted(courses.items()):
        yield from _within(track, course, record)
        yield from _beyond(track, course, record)


def _within(track: int, course: Sequence[tuple[int, Face]], record: Record) -> Iterator[Owed]:
    for (before, left), (after, right) in pairwise(course):
        if after - before - 1 > record.detection.smoothing.gap:
            continue
        for index in range(before + 1, after):
            yield Owed(track, index, left.box.blended(right.box, (index - before) / (after - before)))


def _beyond(track: int, course: Sequence[tuple[int, Face]], record: Record) -> Iterator[Owed]:
    settings = record.detection.smoothing
    sightings = [index for index, face in course if face.origin == "detected"]
    if not sightings:
        return
    most = settings.trust * len(sightings)
    first, last = _scene(sightings[0], record)
    for reach, end, seen, way, stop in (
        (settings.lead, course[0], sightings[0], -1, first - 1),
        (settings.tail, course[-1], sightings[-1], 1, last + 1),
    ):
        index, face = end
        if _at_border(face.box, record.display):
            continue
        for missing in range(index + way, seen + way * (min(reach, most) + 1), way):
            if (stop - missing) * way > 0:
                yield Owed(track, missing, face.box)


def _scene(index: int, record: Record) -> tuple[int, int]:
    """First and last frame of the scene that holds a frame."""
    bounds = (0, *record.cuts, len(record.frames))
    place = bisect_right(bounds, index, hi=len(bounds) - 1)
    return bounds[place - 1], bounds[place] - 1


def _at_border(box: Box, size: Size) -> bool:
    return min(box.left, box.top) <= _BORDER or box.right >= size.width - _BORDER or box.bottom >= size.height - _BORDER
