"""Tracks as bars of the timeline: the frames of each track, and the origin of each face."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from engine.record import Origin, Record
from engine.review.apply import AmendedFrame, AmendedRecord

_ORIGIN_LETTERS: dict[Origin, str] = {"detected": "d", "interpolated": "i", "extended": "e", "reviewer": "r"}
_NO_FACE = "-"

TrackLanes = dict[int, dict[int, str]]
"""By track and frame, the letter of the origin."""


def build_lanes(record: Record) -> TrackLanes:
    """Build the lanes of a record without its amendments."""
    found: TrackLanes = {}
    for frame in record.frames:
        for face in frame.faces:
            found.setdefault(face.track, {})[frame.index] = _ORIGIN_LETTERS[face.origin]
    return found


def amend_lanes(found: TrackLanes, amended: AmendedRecord) -> TrackLanes:
    """Apply the amendments to lanes; tracks that did not change are shared, not copied."""
    changed: TrackLanes = {}
    for index in amended.changed_frames:
        _replace_frame(changed, found, amended.build_frame(index))
    return {track: frames for track, frames in (found | changed).items() if frames}


def _replace_frame(changed: TrackLanes, found: TrackLanes, frame: AmendedFrame) -> None:
    now = {face.track: _ORIGIN_LETTERS[face.origin] for face in frame.faces}
    before = {track for track, frames in found.items() if frame.index in frames}
    for track in before | now.keys():
        if now.get(track) == found.get(track, {}).get(frame.index):
            continue
        lane = changed.setdefault(track, dict(found.get(track, {})))
        lane.pop(frame.index, None)
        if track in now:
            lane[frame.index] = now[track]


def build_bars(lanes: TrackLanes) -> Iterable[dict[str, Any]]:
    """Encode each track for the canvas: first frame, first frame after it, and runs of frames with one origin."""
    for track, frames in sorted(lanes.items()):
        start, stop = min(frames), max(frames) + 1
        letters = "".join(frames.get(index, _NO_FACE) for index in range(start, stop))
        runs = [(letter, sum(1 for _ in run)) for letter, run in groupby(letters)]
        yield {"track": track, "start": start, "stop": stop, "runs": runs}
