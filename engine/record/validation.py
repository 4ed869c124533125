"""Validation of a record beyond what its types rule out."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.frame_ranges import flag_ranges
from engine.core.geometry import Box, Size
from engine.record.types import Frame, Record


def find_contradictions(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the JSON path and a description of each contradiction in a record."""
    # A render trusts the record without another check, so a hand-edited record must fail here.
    known = {detector.name for detector in record.detection.detectors}
    yield from _find_asked_range_contradictions(record, known)
    if len(record.frames) != record.source.video.frames:
        yield "$.frames", f"{len(record.frames)} entries for {record.source.video.frames} frames"
    last = None
    for position, frame in enumerate(record.frames):
        place = f"$.frames[{position}]"
        if frame.index != position:
            yield f"{place}.index", f"expected {position}, got {frame.index}"
        if last is not None and frame.pts <= last:
            yield f"{place}.pts", f"{frame.pts} does not come after {last}"
        last = frame.pts
        for complaint in _find_face_contradictions(frame, record.display, known):
            yield f"{place}.faces[{complaint[0]}]{complaint[1]}", complaint[2]
    for name, indices in (("cuts", record.cuts), ("damaged", record.damaged), ("covered", record.covered)):
        if list(indices) != sorted(set(indices)) or (indices and indices[-1] >= len(record.frames)):
            yield f"$.{name}", "frame indices must rise and exist"


def _find_asked_range_contradictions(record: Record, detector_names: set[str]) -> Iterator[tuple[str, str]]:
    for name, runs in record.detection.asked.items():
        place = f"$.detection.asked.{name}"
        if name not in detector_names:
            yield place, "it is not among the detectors"
        edges = [edge for run in runs for edge in run]
        if edges != sorted(set(edges)) or (edges and edges[-1] > len(record.frames)):
            yield place, "ranges of frames must rise, not touch, and exist"
            continue
        asked = flag_ranges(runs, len(record.frames))
        for position, frame in enumerate(record.frames):
            if not asked[position] and any(one.detector == name for f in frame.faces for one in f.evidence):
                yield f"$.frames[{position}]", f"{name} saw a face there and was not asked"


def _find_face_contradictions(frame: Frame, size: Size, detector_names: set[str]) -> Iterator[tuple[int, str, str]]:
    tracks: set[int] = set()
    for position, face in enumerate(frame.faces):
        if face.track in tracks:
            yield position, ".track", f"track {face.track} is in this frame twice"
        tracks.add(face.track)
        if not face.box.is_within(size):
            yield (
                position,
                ".box",
                f"{list(_box_coordinates(face.box))} crosses the border of a {size.width}x{size.height} frame",
            )
        # Agreement of the detectors is computed from the evidence alone, so a face that none of them found must have
        # none.
        if (face.origin == "detected") != bool(face.evidence):
            yield (
                position,
                ".evidence",
                f"a face that was {face.origin} has {len(face.evidence)} detections as evidence",
            )
        for number, evidence in enumerate(face.evidence):
            if evidence.detector not in detector_names:
                yield position, f".evidence[{number}].detector", f"{evidence.detector!r} is not among the detectors"
            if not evidence.box.is_within(size):
                yield position, f".evidence[{number}].box", "crosses the border of the frame"


def _box_coordinates(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom
