"""A record as tables: one row a frame, a face, a sighting, a pair of detectors, a stretch of a track."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import pyarrow as pa

from engine.core.geometry import Box
from engine.evaluation.matching import assign
from engine.index.schema import schema
from engine.record import Evidence, Frame, Record, fraction
from engine.review.apply import AmendedFace, AmendedFrame, Folded
from engine.statistics.capture_recapture import asked_by_detector, asked_everywhere, surest

VERSION = 1
"""Of the tables; an index that another version built is built again."""


Row = tuple[Any, ...]


def tables_of(run: str, folded: Folded) -> dict[str, pa.Table]:
    """The tables of one record; sorted by frame, tracks by track.

    Faces and tracks are as the reviewers left them; what detectors saw is as in the record.

    Args:
        run: what to call it in the column `run`.
        folded: what was found, with its amendments.
    """
    reading = _Reading.of(run, folded)
    return {
        "frames": _table("frames", reading.frames()),
        "faces": _table("faces", reading.faces()),
        "evidence": _table("evidence", reading.evidence()),
        "doubtful": _table("doubtful", reading.doubtful()),
        "agreement": _table("agreement", (row for rows in reading.pairs for row in rows)),
        "tracks": _table("tracks", reading.tracks()),
    }


def seconds_of(record: Record) -> list[float]:
    """The time of every frame from the first one, and after that the time at which the last one ends."""
    unit = fraction(record.source.video.time_base)
    times = [frame.pts for frame in record.frames]
    steps = sorted(later - sooner for sooner, later in pairwise(times))
    times.append(times[-1] + (steps[len(steps) // 2] if steps else 0))
    return [(pts - times[0]) * unit.numerator / unit.denominator for pts in times]


def _table(name: str, rows: Iterable[Row]) -> pa.Table:
    form = schema(name)
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(form)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, form.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=form)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A record on its way into rows."""

    run: str
    record: Record
    amended: Sequence[AmendedFrame]
    seconds: Sequence[float]
    pairs: Sequence[Sequence[Row]]

    @classmethod
    def of(cls, run: str, folded: Folded) -> _Reading:
        record = folded.record
        seconds, iou = seconds_of(record), record.detection.fusion.iou
        asked = asked_by_detector(record.detection, len(record.frames))
        masks = {name: mask.tolist() for name, mask in asked.items()}
        pairs = [
            list(_pairs((run, frame.index, when), frame, [name for name in masks if masks[name][frame.index]], iou))
            for frame, when in zip(record.frames, seconds, strict=False)
        ]
        return cls(run, record, list(folded.frames()), seconds, pairs)

    def place(self, frame: Frame | AmendedFrame) -> tuple[str, int, float]:
        return self.run, frame.index, self.seconds[frame.index]

    def frames(self) -> Iterator[Row]:
        cuts, damaged = frozenset(self.record.cuts), frozenset(self.record.damaged)
        for frame, pairs in zip(self.amended, self.pairs, strict=True):
            yield (
                *self.place(frame),
                frame.pts,
                len(frame.faces),
                sum(bool(face.evidence) for face in frame.faces),
                len(frame.doubtful),
                sum(not pair[_SEEN] for pair in pairs),
                frame.index in cuts,
                frame.index in damaged,
                frame.covered,
            )

    def faces(self) -> Iterator[Row]:
        asked = asked_everywhere(self.record.detection, len(self.record.frames)).tolist()
        for frame in self.amended:
            for face in frame.faces:
                yield (
                    *self.place(frame),
                    face.track,
                    face.origin,
                    *_edges(face.box),
                    *_sightings(face),
                    asked[frame.index],
                    face.amendment,
                    face.visible,
                )

    def evidence(self) -> Iterator[Row]:
        for frame in self.record.frames:
            for face in frame.faces:
                for seen in face.evidence:
                    yield (*self.place(frame), face.track, seen.detector, seen.score, *_edges(seen.box))

    def doubtful(self) -> Iterator[Row]:
        for frame in self.record.frames:
            for seen in frame.doubtful:
                yield (*self.place(frame), seen.detector, seen.score, *_edges(seen.box))

    def tracks(self) -> Iterator[Row]:
        tracks: dict[int, list[tuple[int, str]]] = {}
        for frame in self.amended:
            for face in frame.faces:
                tracks.setdefault(face.track, []).append((frame.index, face.origin))
        for number in sorted(tracks):
            for start, stop, origin in _stretches(tracks[number]):
                yield self.run, number, origin, start, stop, self.seconds[start], self.seconds[stop]


def _stretches(faces: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int, str]]:
    """Runs of successive frames with the same origin, half-open."""
    for (origin, _), run in groupby(enumerate(faces), key=lambda item: (item[1][1], item[1][0] - item[0])):
        indices = [index for _, (index, _) in run]
        yield indices[0], indices[-1] + 1, origin


def _edges(box: Box) -> tuple[float, float, float, float, float]:
    return box.left, box.top, box.right, box.bottom, box.height


def _sightings(face: AmendedFace) -> tuple[int, str | None, float | None, float | None]:
    if not face.evidence:
        return 0, None, None, None
    best = surest(face.evidence)
    names = "+".join(sorted(seen.detector for seen in face.evidence))
    return len(face.evidence), names, best.score, best.box.height


_SEEN = 6
"""Where the column `seen` stands in a row of agreement."""

_Sighting = tuple[int, int | None, Evidence]
"""Number of the face or, below 0, of the doubtful sighting; its track; what was seen."""


def _pairs(place: tuple[str, int, float], frame: Frame, asked: Sequence[str], iou: float) -> Iterator[Row]:
    """For each sighting and each other detector of those `asked` about the frame, whether that one saw it too."""
    if len(asked) < 2:
        return
    by_detector: dict[str, list[_Sighting]] = {name: [] for name in asked}
    for number, face in enumerate(frame.faces):
        for seen in face.evidence:
            by_detector[seen.detector].append((number, face.track, seen))
    for number, seen in enumerate(frame.doubtful, start=1):
        by_detector[seen.detector].append((-number, None, seen))
    for name, own in by_detector.items():
        for other in asked:
            if own and other != name:
                matched = _matched(own, by_detector[other], iou)
                for number, track, seen in own:
                    yield *place, track, name, other, number in matched, seen.score, seen.box.height


def _matched(own: Sequence[_Sighting], others: Sequence[_Sighting], iou: float) -> set[int]:
    """Numbers of own sightings that others have too: in the same face, else in a box that overlaps enough."""
    fused = {number for number, _, _ in own} & {number for number, _, _ in others if number >= 0}
    alone = [(number, seen.box) for number, _, seen in own if number not in fused]
    free = [seen.box for number, _, seen in others if number not in fused]
    if not (alone and free):
        return fused
    return fused | {alone[position][0] for position in assign([box for _, box in alone], free, iou)}
