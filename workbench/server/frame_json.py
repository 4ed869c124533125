"""Frames of a run as JSON for the review canvas."""

from __future__ import annotations

from typing import Any

from engine.core.geometry import Box
from engine.record import Detection
from engine.review.apply import AmendedFace
from engine.review.risk_rules import is_hidden
from workbench.core.reviewed_run import ReviewedRun


def encode_frame(reviewed: ReviewedRun, index: int) -> dict[str, Any]:
    """Encode a frame: its time in seconds from the first frame, its faces, and faces that are not masked."""
    frame = reviewed.amended.build_frame(index)
    encoded: dict[str, Any] = {
        "i": index,
        "t": round(reviewed.get_frame_time_s(index), 4),
        "faces": [_encode_face(face) for face in frame.faces],
    }
    # What is empty or false is left out: one answer has up to a thousand frames.
    if frame.covered:
        encoded["covered"] = "reviewer" if frame.amendment else "record"
    # What a mask hides by now is no possible face any more that nothing masks.
    masks = [face for face in frame.faces if not face.visible]
    if doubtful := [detection for detection in frame.doubtful if not is_hidden(detection.box, masks)]:
        encoded["doubtful"] = [_encode_detection(detection) for detection in doubtful]
    if removed := reviewed.amended.list_removed_faces(index):
        encoded["removed"] = [{"track": face.track, "box": to_edges(face.box)} for face, _ in removed]
    return encoded


def _encode_face(face: AmendedFace) -> dict[str, Any]:
    encoded: dict[str, Any] = {"track": face.track, "box": to_edges(face.box), "origin": face.origin}
    if face.evidence:
        encoded["seen"] = [[detection.detector, round(detection.score, 3)] for detection in face.evidence]
    if face.visible:
        encoded["visible"] = True
    return encoded


def _encode_detection(detection: Detection) -> dict[str, Any]:
    return {"box": to_edges(detection.box), "seen": [[detection.detector, round(detection.score, 3)]]}


def to_edges(box: Box) -> tuple[float, float, float, float]:
    """Encode a box as left, top, right, bottom."""
    return box.left, box.top, box.right, box.bottom
