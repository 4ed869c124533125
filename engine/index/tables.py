"""Build the tables of a record: one row for a frame, a face, a detection, a pair of detectors, a stretch of a track.

To add a column, describe it in `engine.index.schema.TABLES`, give its value here, and raise `TABLES_VERSION`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

import pyarrow as pa

from engine.core.geometry import Box
from engine.evaluation.matching import assign_boxes
from engine.index.schema import DetectorNames, build_arrow_schema
from engine.record import Detection, Frame, Record, parse_ratio
from engine.review.apply import AmendedFace, AmendedFrame, AmendedRecord
from engine.statistics.capture_recapture import find_best_evidence, flag_asked_frames, flag_frames_asked_of_all

TABLES_VERSION = 2
"""Version of the tables. Tables of another version are built again from the record."""

Row = Mapping[str, object]
"""The cells of one row by the name of their column."""


def build_tables(run: str, amended_record: AmendedRecord) -> dict[str, pa.Table]:
    """Build the tables of one record, sorted by frame; the tracks are sorted by track.

    Faces and tracks are those after review. Detections are those of the record.

    Args:
        run: Name of the run, for the column `run`.
        amended_record: The record with its amendments.
    """
    builder = _RowBuilder.from_amended_record(run, amended_record)
    # The frames count the rows of `agreement` that say "not seen", so that table is built first.
    agreement = _build_table("agreement", builder.build_agreement_rows())
    return {
        "frames": _build_table("frames", builder.build_frame_rows()),
        "faces": _build_table("faces", builder.build_face_rows()),
        "evidence": _build_table("evidence", builder.build_evidence_rows()),
        "doubtful": _build_table("doubtful", builder.build_doubtful_rows()),
        "agreement": agreement,
        "tracks": _build_table("tracks", builder.build_track_rows()),
    }


def compute_frame_times_s(record: Record) -> list[float]:
    """Return the time of every frame from the first one, followed by the time at which the last frame ends."""
    unit = parse_ratio(record.source.video.time_base)
    times = [frame.pts for frame in record.frames]
    steps = sorted(later - sooner for sooner, later in pairwise(times))
    # Nothing says how long the last frame lasts. The median step is right for a constant rate, and a pause in a
    # variable one does not stretch it.
    times.append(times[-1] + (steps[len(steps) // 2] if steps else 0))
    return [(pts - times[0]) * unit.numerator / unit.denominator for pts in times]


def _build_table(name: str, rows: Iterable[Row]) -> pa.Table:
    """Collect rows into columns.

    Raises:
        ValueError: A row does not have exactly the columns of the table.
    """
    schema = build_arrow_schema(name)
    # Rows are taken apart as they come: a long record has a million of them, and as dicts they would not fit in memory.
    columns: dict[str, list[object]] = {column: [] for column in schema.names}
    for row in rows:
        if row.keys() != columns.keys():
            raise ValueError(f"A row of {name} has the columns {sorted(row)}, expected {sorted(columns)}.")
        for column, cell in row.items():
            columns[column].append(cell)
    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


@dataclass(frozen=True, slots=True)
class _RowBuilder:
    """Builds the rows of every table of one record.

    Attributes:
        seconds: The time of every frame, and the end of the last one.
        missed_counts: By frame, the number of detections that another detector lacks; filled with the agreement rows.
    """

    run: str
    record: Record
    amended_frames: Sequence[AmendedFrame]
    seconds: Sequence[float]
    missed_counts: Counter[int]

    @classmethod
    def from_amended_record(cls, run: str, amended_record: AmendedRecord) -> _RowBuilder:
        record = amended_record.record
        frames = list(amended_record.iterate_frames())
        return cls(run, record, frames, compute_frame_times_s(record), Counter())

    def make_frame_cells(self, frame: Frame | AmendedFrame) -> dict[str, object]:
        return {"run": self.run, "frame": frame.index, "seconds": self.seconds[frame.index]}

    def build_frame_rows(self) -> Iterator[Row]:
        cuts, damaged = frozenset(self.record.cuts), frozenset(self.record.damaged)
        for frame in self.amended_frames:
            yield {
                **self.make_frame_cells(frame),
                "pts": frame.pts,
                "faces": len(frame.faces),
                "seen": sum(bool(face.evidence) for face in frame.faces),
                "doubtful": len(frame.doubtful),
                "disagreements": self.missed_counts[frame.index],
                "cut": frame.index in cuts,
                "damaged": frame.index in damaged,
                "covered": frame.covered,
            }

    def build_face_rows(self) -> Iterator[Row]:
        asked = flag_frames_asked_of_all(self.record.detection, len(self.record.frames)).tolist()
        for frame in self.amended_frames:
            for face in frame.faces:
                yield {
                    **self.make_frame_cells(frame),
                    "track": face.track,
                    "origin": face.origin,
                    **_make_box_cells(face.box),
                    **_make_detection_cells(face),
                    "all_asked": asked[frame.index],
                    "amendment": face.amendment,
                    "visible": face.visible,
                }

    def build_evidence_rows(self) -> Iterator[Row]:
        for frame in self.record.frames:
            for face in frame.faces:
                for evidence in face.evidence:
                    yield {
                        **self.make_frame_cells(frame),
                        "track": face.track,
                        "detector": evidence.detector,
                        "score": evidence.score,
                        **_make_box_cells(evidence.box),
                    }

    def build_doubtful_rows(self) -> Iterator[Row]:
        for frame in self.record.frames:
            for evidence in frame.doubtful:
                yield {
                    **self.make_frame_cells(frame),
                    "detector": evidence.detector,
                    "score": evidence.score,
                    **_make_box_cells(evidence.box),
                }

    def build_agreement_rows(self) -> Iterator[Row]:
        """Build a row for each detection and each other detector that was asked about the frame."""
        iou = self.record.detection.fusion.iou
        flags = {
            detector: asked.tolist()
            for detector, asked in flag_asked_frames(self.record.detection, len(self.record.frames)).items()
        }
        for frame in self.record.frames:
            # A detector that was not asked about a frame did not miss anything in it.
            asked = [detector for detector in flags if flags[detector][frame.index]]
            for row in _compare_detectors(frame, asked, iou):
                self.missed_counts[frame.index] += not row["seen"]
                yield {**self.make_frame_cells(frame), **row}

    def build_track_rows(self) -> Iterator[Row]:
        tracks: dict[int, list[tuple[int, str]]] = {}
        for frame in self.amended_frames:
            for face in frame.faces:
                tracks.setdefault(face.track, []).append((frame.index, face.origin))
        for track in sorted(tracks):
            for start, stop, origin in _find_stretches(tracks[track]):
                yield {
                    "run": self.run,
                    "track": track,
                    "origin": origin,
                    "start": start,
                    "stop": stop,
                    "start_seconds": self.seconds[start],
                    "stop_seconds": self.seconds[stop],
                }


def _find_stretches(faces: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int, str]]:
    """Find the runs of successive frames with the same origin, as first frame, frame after the last, and origin."""
    # Index minus position is the same for successive frames and jumps at every gap.
    for (origin, _), stretch in groupby(enumerate(faces), key=lambda item: (item[1][1], item[1][0] - item[0])):
        indices = [index for _, (index, _) in stretch]
        yield indices[0], indices[-1] + 1, origin


def _make_box_cells(box: Box) -> dict[str, object]:
    return {
        "left_px": box.left,
        "top_px": box.top,
        "right_px": box.right,
        "bottom_px": box.bottom,
        "height_px": box.height,
    }


def _make_detection_cells(face: AmendedFace) -> dict[str, object]:
    if not face.evidence:
        return {"detections": 0, "seen_by": None, "score": None, "seen_height_px": None}
    best = find_best_evidence(face.evidence)
    return {
        "detections": len(face.evidence),
        "seen_by": str(DetectorNames.from_evidence(face.evidence)),
        "score": best.score,
        "seen_height_px": best.box.height,
    }


class _FrameDetection(NamedTuple):
    """A detection of one frame: the number of its face, or a negative number for a doubtful one, which has no track."""

    number: int
    track: int | None
    evidence: Detection


def _compare_detectors(frame: Frame, asked: Sequence[str], iou: float) -> Iterator[Row]:
    """Compare each detector with each other one of those `asked` about the frame; one row for each detection."""
    if len(asked) < 2:
        return
    by_detector: dict[str, list[_FrameDetection]] = {name: [] for name in asked}
    for number, face in enumerate(frame.faces):
        for evidence in face.evidence:
            by_detector[evidence.detector].append(_FrameDetection(number, face.track, evidence))
    for number, evidence in enumerate(frame.doubtful, start=1):
        by_detector[evidence.detector].append(_FrameDetection(-number, None, evidence))
    for detector, detections in by_detector.items():
        for other in asked:
            if detections and other != detector:
                matched = _match_detections(detections, by_detector[other], iou)
                for number, track, evidence in detections:
                    yield {
                        "track": track,
                        "detector": detector,
                        "other": other,
                        "seen": number in matched,
                        "score": evidence.score,
                        "height_px": evidence.box.height,
                    }


def _match_detections(detections: Sequence[_FrameDetection], others: Sequence[_FrameDetection], iou: float) -> set[int]:
    """Return the numbers of those detections that the other detector has too."""
    # Detections that the record fused into one face agree, even if their boxes hardly overlap: fusion also joins a box
    # that lies inside another. Only the rest is matched by overlap, one to one.
    fused = {number for number, _, _ in detections} & {number for number, _, _ in others if number >= 0}
    alone = [(number, evidence.box) for number, _, evidence in detections if number not in fused]
    free = [evidence.box for number, _, evidence in others if number not in fused]
    if not (alone and free):
        return fused
    return fused | {alone[position][0] for position in assign_boxes([box for _, box in alone], free, iou)}
