"""A record as tables: one row a frame, a face, a sighting, a pair of detectors, a stretch of a track."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import pyarrow as pa

from engine.core.geometry import Box
from engine.evaluation.matching import assign_boxes
from engine.index.schema import build_arrow_schema
from engine.record import Evidence, Frame, Record, parse_ratio
from engine.review.apply import AmendedFace, AmendedFrame, AmendedRecord
from engine.statistics.capture_recapture import find_best_evidence, flag_asked_frames, flag_frames_asked_of_all

TABLES_VERSION = 1
"""Of the tables; an index that another version built is built again."""


Row = tuple[Any, ...]


def build_tables(run: str, amended_record: AmendedRecord) -> dict[str, pa.Table]:
    """The tables of one record; sorted by frame, tracks by track.

    Faces and tracks are as the reviewers left them; what detectors saw is as in the record.

    Args:
        run: what to call it in the column `run`.
        amended_record: what was found, with its amendments.
    """
    reading = _RowBuilder.from_amended_record(run, amended_record)
    return {
        "frames": _build_table("frames", reading.build_frame_rows()),
        "faces": _build_table("faces", reading.build_face_rows()),
        "evidence": _build_table("evidence", reading.build_evidence_rows()),
        "doubtful": _build_table("doubtful", reading.build_doubtful_rows()),
        "agreement": _build_table("agreement", (row for rows in reading.pairs for row in rows)),
        "tracks": _build_table("tracks", reading.build_track_rows()),
    }


def compute_frame_times_s(record: Record) -> list[float]:
    """The time of every frame from the first one, and after that the time at which the last one ends."""
    unit = parse_ratio(record.source.video.time_base)
    times = [frame.pts for frame in record.frames]
    steps = sorted(later - sooner for sooner, later in pairwise(times))
    times.append(times[-1] + (steps[len(steps) // 2] if steps else 0))
    return [(pts - times[0]) * unit.numerator / unit.denominator for pts in times]


def _build_table(name: str, rows: Iterable[Row]) -> pa.Table:
    form = build_arrow_schema(name)
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(form)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, form.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=form)


@dataclass(frozen=True, slots=True)
class _RowBuilder:
    """A record on its way into rows."""

    run: str
    record: Record
    amended_frames: Sequence[AmendedFrame]
    seconds: Sequence[float]
    pairs: Sequence[Sequence[Row]]

    @classmethod
    def from_amended_record(cls, run: str, amended_record: AmendedRecord) -> _RowBuilder:
        record = amended_record.record
        seconds, iou = compute_frame_times_s(record), record.detection.fusion.iou
        asked = flag_asked_frames(record.detection, len(record.frames))
        masks = {name: mask.tolist() for name, mask in asked.items()}
        pairs = [
            list(
                _build_agreement_rows(
                    (run, frame.index, when), frame, [name for name in masks if masks[name][frame.index]], iou
                )
            )
            for frame, when in zip(record.frames, seconds, strict=False)
        ]
        return cls(run, record, list(amended_record.iterate_frames()), seconds, pairs)

    def make_frame_cells(self, frame: Frame | AmendedFrame) -> tuple[str, int, float]:
        return self.run, frame.index, self.seconds[frame.index]

    def build_frame_rows(self) -> Iterator[Row]:
        cuts, damaged = frozenset(self.record.cuts), frozenset(self.record.damaged)
        for frame, pairs in zip(self.amended_frames, self.pairs, strict=True):
            yield (
                *self.make_frame_cells(frame),
                frame.pts,
                len(frame.faces),
                sum(bool(face.evidence) for face in frame.faces),
                len(frame.doubtful),
                sum(not pair[_SEEN_COLUMN] for pair in pairs),
                frame.index in cuts,
                frame.index in damaged,
                frame.covered,
            )

    def build_face_rows(self) -> Iterator[Row]:
        asked = flag_frames_asked_of_all(self.record.detection, len(self.record.frames)).tolist()
        for frame in self.amended_frames:
            for face in frame.faces:
                yield (
                    *self.make_frame_cells(frame),
                    face.track,
                    face.origin,
                    *_make_box_cells(face.box),
                    *_make_detection_cells(face),
                    asked[frame.index],
                    face.amendment,
                    face.visible,
                )

    def build_evidence_rows(self) -> Iterator[Row]:
        for frame in self.record.frames:
            for face in frame.faces:
                for seen in face.evidence:
                    yield (
                        *self.make_frame_cells(frame),
                        face.track,
                        seen.detector,
                        seen.score,
                        *_make_box_cells(seen.box),
                    )

    def build_doubtful_rows(self) -> Iterator[Row]:
        for frame in self.record.frames:
            for seen in frame.doubtful:
                yield (*self.make_frame_cells(frame), seen.detector, seen.score, *_make_box_cells(seen.box))

    def build_track_rows(self) -> Iterator[Row]:
        tracks: dict[int, list[tuple[int, str]]] = {}
        for frame in self.amended_frames:
            for face in frame.faces:
                tracks.setdefault(face.track, []).append((frame.index, face.origin))
        for number in sorted(tracks):
            for start, stop, origin in _find_stretches(tracks[number]):
                yield self.run, number, origin, start, stop, self.seconds[start], self.seconds[stop]


def _find_stretches(faces: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int, str]]:
    """Runs of successive frames with the same origin, half-open."""
    for (origin, _), run in groupby(enumerate(faces), key=lambda item: (item[1][1], item[1][0] - item[0])):
        indices = [index for _, (index, _) in run]
        yield indices[0], indices[-1] + 1, origin


def _make_box_cells(box: Box) -> tuple[float, float, float, float, float]:
    return box.left, box.top, box.right, box.bottom, box.height


def _make_detection_cells(face: AmendedFace) -> tuple[int, str | None, float | None, float | None]:
    if not face.evidence:
        return 0, None, None, None
    best = find_best_evidence(face.evidence)
    names = "+".join(sorted(seen.detector for seen in face.evidence))
    return len(face.evidence), names, best.score, best.box.height


_SEEN_COLUMN = 6
"""Where the column `seen` stands in a row of agreement."""

_NumberedEvidence = tuple[int, int | None, Evidence]
"""Number of the face or, below 0, of the doubtful sighting; its track; what was seen."""


def _build_agreement_rows(
    frame_cells: tuple[str, int, float], frame: Frame, asked: Sequence[str], iou: float
) -> Iterator[Row]:
    """For each sighting and each other detector of those `asked` about the frame, whether that one saw it too."""
    if len(asked) < 2:
        return
    by_detector: dict[str, list[_NumberedEvidence]] = {name: [] for name in asked}
    for number, face in enumerate(frame.faces):
        for seen in face.evidence:
            by_detector[seen.detector].append((number, face.track, seen))
    for number, seen in enumerate(frame.doubtful, start=1):
        by_detector[seen.detector].append((-number, None, seen))
    for name, own in by_detector.items():
        for other in asked:
            if own and other != name:
                matched = _match_detections(own, by_detector[other], iou)
                for number, track, seen in own:
                    yield *frame_cells, track, name, other, number in matched, seen.score, seen.box.height


def _match_detections(own: Sequence[_NumberedEvidence], others: Sequence[_NumberedEvidence], iou: float) -> set[int]:
    """Numbers of own sightings that others have too: in the same face, else in a box that overlaps enough."""
    fused = {number for number, _, _ in own} & {number for number, _, _ in others if number >= 0}
    alone = [(number, seen.box) for number, _, seen in own if number not in fused]
    free = [seen.box for number, _, seen in others if number not in fused]
    if not (alone and free):
        return fused
    return fused | {alone[position][0] for position in assign_boxes([box for _, box in alone], free, iou)}
