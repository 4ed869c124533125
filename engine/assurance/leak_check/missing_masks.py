"""Find masks that a record lacks by its own settings. No detector is needed for this.

A detection fills the gaps of every track, and extends each track before its first and after its last detection (see
`engine.timeline.smooth`). If a track of a record is interrupted, or ends without that extension, the record is not what
the detection wrote: a mask was lost or taken away. Of masks taken out of a record, most were found by this rule alone
(docs/guides/leak-check.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.core.geometry import Box, Size
from engine.core.scenes import Scenes
from engine.record import Face, Record, SmoothingInFrames

_BORDER_PX = 1.0
"""Distance from the border, in pixels, within which a face may have left the picture."""


class MissingMask(NamedTuple):
    """A missing mask: its track, its frame, and approximately its box."""

    track: int
    frame_index: int
    box: Box


def find_missing_masks(record: Record) -> Iterator[MissingMask]:
    """Yield the masks that a record lacks by its own settings, track by track; none for a record as written.

    A live record has none, because its tracks end when they time out. Neither has a single picture.
    """
    if record.detection.mode == "live" or len(record.frames) < 2:
        return
    faces_by_track: defaultdict[int, list[tuple[int, Face]]] = defaultdict(list)
    for frame in record.frames:
        for face in frame.faces:
            faces_by_track[face.track].append((frame.index, face))
    settings = record.detection.smoothing.in_frames(record.frame_s)
    for track, track_faces in sorted(faces_by_track.items()):
        yield from _find_masks_missing_in_gaps(track, track_faces, settings)
        yield from _find_masks_missing_at_ends(track, track_faces, settings, record)


def _find_masks_missing_in_gaps(
    track: int, track_faces: Sequence[tuple[int, Face]], settings: SmoothingInFrames
) -> Iterator[MissingMask]:
    for (before, left), (after, right) in pairwise(track_faces):
        # Longer gaps are left open by the detection itself.
        if after - before - 1 > settings.gap:
            continue
        for index in range(before + 1, after):
            yield MissingMask(track, index, left.box.interpolate(right.box, (index - before) / (after - before)))


def _find_masks_missing_at_ends(
    track: int, track_faces: Sequence[tuple[int, Face]], settings: SmoothingInFrames, record: Record
) -> Iterator[MissingMask]:
    detected = [index for index, face in track_faces if face.origin == "detected"]
    # How far a track should reach is counted from its detections; without any it may end anywhere.
    if not detected:
        return
    # A track that was detected seldom is extended less: by `trust` frames for each detection.
    longest = settings.trust * len(detected)
    scene_start, scene_stop = Scenes(record.cuts, len(record.frames)).find_scene(detected[0])
    for extension, (index, face), last_detected, step, scene_end in (
        (settings.lead, track_faces[0], detected[0], -1, scene_start - 1),
        (settings.tail, track_faces[-1], detected[-1], 1, scene_stop),
    ):
        # A face at the border has left the picture, and its track ends there rightly.
        if _is_at_border(face.box, record.display):
            continue
        # Counted from the last detection and not from the last face: a track that still has a part of its extension
        # lacks only the rest.
        for missing in range(index + step, last_detected + step * (min(extension, longest) + 1), step):
            # The detection extends no track across a cut, so nothing is missing beyond it.
            if (scene_end - missing) * step > 0:
                yield MissingMask(track, missing, face.box)


def _is_at_border(box: Box, size: Size) -> bool:
    return (
        min(box.left, box.top) <= _BORDER_PX
        or box.right >= size.width - _BORDER_PX
        or box.bottom >= size.height - _BORDER_PX
    )
