"""A record as tables: one row a frame, a face, a sighting, a pair of detectors, a stretch of a track."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import pyarrow as pa

from engine.analysis.matching import assign
from engine.analysis.recapture import asked_by_detector, asked_everywhere, surest
from engine.geometry import Box
from engine.record import Evidence, Face, Frame, Record, fraction

VERSION = 1
"""Of the tables; an index that another version built is built again."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name, its type in Arrow's words, and what it means."""

    name: str
    kind: str
    meaning: str


_PLACE = (
    Column("run", "string", "which run"),
    Column("frame", "int32", "index of the frame, from 0"),
    Column("seconds", "float64", "time of the frame, from the first one"),
)
_EDGES = (
    Column("left_px", "float32", "edges of the box in display pixels"),
    Column("top_px", "float32", ""),
    Column("right_px", "float32", ""),
    Column("bottom_px", "float32", ""),
    Column("height_px", "float32", "its height"),
)
TABLES: Mapping[str, tuple[Column, ...]] = {
    "frames": (
        *_PLACE,
        Column("pts", "int64", "presentation timestamp in the video's time base"),
        Column("faces", "int32", "faces that are covered"),
        Column("seen", "int32", "those that a detector saw in this very frame"),
        Column("doubtful", "int32", "sightings that the frames around do not bear out"),
        Column("disagreements", "int32", "sightings that another detector lacks, once for each that lacks it"),
        Column("cut", "bool", "a new scene begins"),
        Column("damaged", "bool", "it could not be decoded whole"),
        Column("covered", "bool", "it is covered whole"),
    ),
    "faces": (
        *_PLACE,
        Column("track", "int32", "number of the track"),
        Column("origin", "string", "detected, interpolated, extended or reviewer"),
        *_EDGES,
        Column("sightings", "int32", "how many detectors saw it"),
        Column("seen_by", "string", "their names, joined by +"),
        Column("score", "float32", "of the surest sighting"),
        Column("seen_height_px", "float32", "height of the surest sighting's box"),
        Column("all_asked", "bool", "every detector of the run was asked about this frame"),
        Column("amendment", "int32", "number of the amendment it comes from"),
    ),
    "evidence": (
        *_PLACE,
        Column("track", "int32", "the face it belongs to"),
        Column("detector", "string", "who saw it"),
        Column("score", "float32", "how sure, 0 to 1"),
        *_EDGES,
    ),
    "doubtful": (
        *_PLACE,
        Column("detector", "string", "who saw it"),
        Column("score", "float32", "how sure, 0 to 1"),
        *_EDGES,
    ),
    "agreement": (
        *_PLACE,
        Column("track", "int32", "the face it belongs to, nothing for a doubtful sighting"),
        Column("detector", "string", "who saw something"),
        Column("other", "string", "another detector that was asked about this frame"),
        Column("seen", "bool", "whether the other saw it too"),
        Column("score", "float32", "how sure the first was"),
        Column("height_px", "float32", "height of its box"),
    ),
    "tracks": (
        Column("run", "string", "which run"),
        Column("track", "int32", "number of the track"),
        Column("origin", "string", "of the faces in this stretch"),
        Column("start", "int32", "first frame of the stretch"),
        Column("stop", "int32", "the frame after its last"),
        Column("start_seconds", "float64", "when it begins"),
        Column("stop_seconds", "float64", "when it ends"),
    ),
}
"""Every table by name, as the files and the SQL box have them."""

Row = tuple[Any, ...]


def schema(table: str) -> pa.Schema:
    """The Arrow schema of a table."""
    kinds = {"string": pa.string(), "bool": pa.bool_()}
    return pa.schema(
        [(column.name, kinds.get(column.kind) or pa.type_for_alias(column.kind)) for column in TABLES[table]]
    )


def tables_of(run: str, record: Record) -> dict[str, pa.Table]:
    """The tables of one record; sorted by frame, tracks by track.

    Args:
        run: what to call it in the column `run`.
        record: what was found.
    """
    reading = _Reading.of(run, record)
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
    seconds: Sequence[float]
    pairs: Sequence[Sequence[Row]]

    @classmethod
    def of(cls, run: str, record: Record) -> _Reading:
        seconds, iou = seconds_of(record), record.detection.fusion.iou
        asked = asked_by_detector(record.detection, len(record.frames))
        masks = {name: mask.tolist() for name, mask in asked.items()}
        pairs = [
            list(_pairs((run, frame.index, when), frame, [name for name in masks if masks[name][frame.index]], iou))
            for frame, when in zip(record.frames, seconds, strict=False)
        ]
        return cls(run, record, seconds, pairs)

    def place(self, frame: Frame) -> tuple[str, int, float]:
        return self.run, frame.index, self.seconds[frame.index]

    def frames(self) -> Iterator[Row]:
        cuts, damaged = frozenset(self.record.cuts), frozenset(self.record.damaged)
        covered = damaged | frozenset(self.record.covered)
        for frame, pairs in zip(self.record.frames, self.pairs, strict=True):
            yield (
                *self.place(frame),
                frame.pts,
                len(frame.faces),
                sum(bool(face.evidence) for face in frame.faces),
                len(frame.doubtful),
                sum(not pair[_SEEN] for pair in pairs),
                frame.index in cuts,
                frame.index in damaged,
                frame.index in covered,
            )

    def faces(self) -> Iterator[Row]:
        asked = asked_everywhere(self.record.detection, len(self.record.frames)).tolist()
        for frame in self.record.frames:
            for face in frame.faces:
                yield (
                    *self.place(frame),
                    face.track,
                    face.origin,
                    *_edges(face.box),
                    *_sightings(face),
                    asked[frame.index],
                    None,
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
        for frame in self.record.frames:
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


def _sightings(face: Face) -> tuple[int, str | None, float | None, float | None]:
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
