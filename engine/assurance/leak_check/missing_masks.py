"""Masks that a record should have by its own settings, and lacks: no detector is needed to tell.

A detection fills the gaps of every track, and extends each track before its first sighting and after its last (see
`engine.timeline.smooth`). A record in which a track is interrupted, or ends at once, is not what its detection wrote:
a mask was lost, or taken away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.core.geometry import Box, Size
from engine.core.scenes import Scenes
from engine.record import Face, Record

_BORDER_PX = 1.0
"""Pixels from the border within which a face may have left the picture."""


class MissingMask(NamedTuple):
    """A mask that is missing: whose, in which frame, and about where."""

    track: int
    frame_index: int
    box: Box


def find_missing_masks(record: Record) -> Iterator[MissingMask]:
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
        yield from _find_masks_missing_in_gaps(track, course, record)
        yield from _find_masks_missing_at_ends(track, course, record)


def _find_masks_missing_in_gaps(
    track: int, track_faces: Sequence[tuple[int, Face]], record: Record
) -> Iterator[MissingMask]:
    for (before, left), (after, right) in pairwise(track_faces):
        if after - before - 1 > record.detection.smoothing.gap:
            continue
        for index in range(before + 1, after):
            yield MissingMask(track, index, left.box.interpolate(right.box, (index - before) / (after - before)))


def _find_masks_missing_at_ends(
    track: int, track_faces: Sequence[tuple[int, Face]], record: Record
) -> Iterator[MissingMask]:
    settings = record.detection.smoothing
    sightings = [index for index, face in track_faces if face.origin == "detected"]
    if not sightings:
        return
    most = settings.trust * len(sightings)
    scene = Scenes(record.cuts, len(record.frames)).find_scene(sightings[0])
    for reach, end, seen, way, stop in (
        (settings.lead, track_faces[0], sightings[0], -1, scene[0] - 1),
        (settings.tail, track_faces[-1], sightings[-1], 1, scene[1]),
    ):
        index, face = end
        if _is_at_border(face.box, record.display):
            continue
        for missing in range(index + way, seen + way * (min(reach, most) + 1), way):
            if (stop - missing) * way > 0:
                yield MissingMask(track, missing, face.box)


def _is_at_border(box: Box, size: Size) -> bool:
    return (
        min(box.left, box.top) <= _BORDER_PX
        or box.right >= size.width - _BORDER_PX
        or box.bottom >= size.height - _BORDER_PX
    )
