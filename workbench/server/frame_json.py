"""Frames of a case as the review canvas hears of them."""

from __future__ import annotations

from typing import Any

from engine.core.geometry import Box
from engine.record import Evidence
from engine.review.apply import AmendedFace
from workbench.core.reviewed_run import Case


def told(case: Case, index: int) -> dict[str, Any]:
    """One frame: its time in seconds from the first, its faces, and sightings that are not covered."""
    frame = case.folded.frame(index)
    told: dict[str, Any] = {
        "i": index,
        "t": round(case.seconds(index), 4),
        "faces": [_face(face) for face in frame.faces],
    }
    if frame.covered:
        told["covered"] = "reviewer" if frame.amendment else "record"
    if frame.doubtful:
        told["doubtful"] = [_sighting(one) for one in frame.doubtful]
    return told


def _face(face: AmendedFace) -> dict[str, Any]:
    told: dict[str, Any] = {"track": face.track, "box": edges(face.box), "origin": face.origin}
    if face.evidence:
        told["seen"] = [[one.detector, round(one.score, 3)] for one in face.evidence]
    if face.visible:
        told["visible"] = True
    return told


def _sighting(one: Evidence) -> dict[str, Any]:
    return {"box": edges(one.box), "seen": [[one.detector, round(one.score, 3)]]}


def edges(box: Box) -> tuple[float, float, float, float]:
    """A box as the canvas takes it: left, top, right, bottom."""
    return box.left, box.top, box.right, box.bottom
