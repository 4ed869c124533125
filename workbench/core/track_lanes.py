"""Tracks as bars of a timeline: where each is, and how its faces came to be there."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from engine.record import Origin, Record
from engine.review.apply import AmendedFrame, Folded

_LETTERS: dict[Origin, str] = {"detected": "d", "interpolated": "i", "extended": "e", "reviewer": "r"}
_NOWHERE = "-"

Lanes = dict[int, dict[int, str]]
"""By track, by frame, the letter of the origin."""


def lanes(record: Record) -> Lanes:
    """The tracks of a record as it was found."""
    found: Lanes = {}
    for frame in record.frames:
        for face in frame.faces:
            found.setdefault(face.track, {})[frame.index] = _LETTERS[face.origin]
    return found


def amended_lanes(found: Lanes, folded: Folded) -> Lanes:
    """The same after its amendments; tracks that nobody changed are shared with what was found."""
    changed: Lanes = {}
    for index in folded.changed:
        _replace(changed, found, folded.frame(index))
    return {track: frames for track, frames in (found | changed).items() if frames}


def _replace(changed: Lanes, found: Lanes, frame: AmendedFrame) -> None:
    now = {face.track: _LETTERS[face.origin] for face in frame.faces}
    before = {track for track, frames in found.items() if frame.index in frames}
    for track in before | now.keys():
        if now.get(track) == found.get(track, {}).get(frame.index):
            continue
        lane = changed.setdefault(track, dict(found.get(track, {})))
        lane.pop(frame.index, None)
        if track in now:
            lane[frame.index] = now[track]


def bars(tracks: Lanes) -> Iterable[dict[str, Any]]:
    """Each track for the canvas: first frame, first after it, and runs of frames with one origin."""
    for track, frames in sorted(tracks.items()):
        start, stop = min(frames), max(frames) + 1
        letters = "".join(frames.get(index, _NOWHERE) for index in range(start, stop))
        runs = [(letter, sum(1 for _ in run)) for letter, run in groupby(letters)]
        yield {"track": track, "start": start, "stop": stop, "runs": runs}
