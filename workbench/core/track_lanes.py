"""Tracks as bars of the timeline: the frames of each track, and the origin of each face."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from engine.record import Origin, Record
from engine.review.apply import AmendedFrame, AmendedRecord

_ORIGIN_LETTERS: dict[Origin, str] = {
    "detected": "d",
    "carried": "c",
    "interpolated": "i",
    "extended": "e",
    "reviewer": "r",
}
_NO_FACE = "-"

TrackLanes = dict[int, dict[int, str]]
"""By track and frame, the letter of the origin."""


def build_lanes(record: Record) -> TrackLanes:
    """Build the lanes of a record without its amendments."""
    lanes: TrackLanes = {}
    for frame in record.frames:
        for face in frame.faces:
            lanes.setdefault(face.track, {})[frame.index] = _ORIGIN_LETTERS[face.origin]
    return lanes


def amend_lanes(lanes: TrackLanes, amended: AmendedRecord) -> TrackLanes:
    """Apply the amendments to lanes; tracks that did not change are shared, not copied."""
    changed_lanes: TrackLanes = {}
    for index in amended.changed_frames:
        _replace_frame(changed_lanes, lanes, amended.build_frame(index))
    return {track: frames for track, frames in (lanes | changed_lanes).items() if frames}


def _replace_frame(changed_lanes: TrackLanes, lanes: TrackLanes, frame: AmendedFrame) -> None:
    now = {face.track: _ORIGIN_LETTERS[face.origin] for face in frame.faces}
    before = {track for track, frames in lanes.items() if frame.index in frames}
    for track in before | now.keys():
        if now.get(track) == lanes.get(track, {}).get(frame.index):
            continue
        # Copied at the first change: the lanes of the record are cached, and all sessions share them.
        lane = changed_lanes.setdefault(track, dict(lanes.get(track, {})))
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
