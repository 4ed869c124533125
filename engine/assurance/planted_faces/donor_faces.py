"""Faces to plant are held against a second detector first: what only one detector takes for a face may be none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engine.assurance.leak_check.check_detectors import Hire
from engine.assurance.planted_faces.compositing import Donor, package_donor
from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.detectors.registry import DetectorPlan, plan
from engine.record import Record

_SEEN = 0.5
"""Score from which the second detector confirms a face."""
_SAME = 0.35
"""IoU of their boxes: detectors draw them differently."""
_SIDE = 256
"""Longest side, in pixels, at which it sees a face with the grey about it."""
_GREY = (114, 114, 114)
_FEW = 2
"""Faces of the clip below which the package's picture is planted too."""


def donors_for(found: Sequence[Donor], record: Record, hire: Hire, models: Path) -> list[Donor]:
    """Those faces of the clip that are faces for certain, and the package's where there are few and it is installed.

    Args:
        found: faces of the clip, each seen well by every detector of the record.
        record: of the clip.
        hire: starts the second detector, where the record has one only.
        models: folder of the weights.

    Raises:
        ModelError: weights are missing or not the pinned ones.
        DetectorError: the detector's process died, hung or failed.
    """
    witness = _witness(record)
    donors = _confirmed(found, witness, hire, models) if witness is not None and found else list(found)
    spare = package_donor() if len(donors) < _FEW else None
    return donors if spare is None else [*donors, spare]


def _witness(record: Record) -> DetectorPlan | None:
    """A detector that the record did not use; None where the faces are seen by several already."""
    used = {facts.name for facts in record.detection.detectors}
    if len(used) > 1:
        return None
    return plan("centerface" if "yolov8-face" in used else "yolov8-face", {"size": 320})


def _confirmed(donors: Sequence[Donor], witness: DetectorPlan, hire: Hire, models: Path) -> list[Donor]:
    shown = [_shown(donor) for donor in donors]
    with hire([witness], models, 1) as crew:
        crew.start_at(0)
        for ticket, (picture, _) in enumerate(shown):
            crew.submit(ticket, {witness.longest_side: [picture]}, f"face {ticket} of the clip")
        answers = [answer[witness.name][0] for _, answer in crew.rest()]
    return [
        donor
        for donor, (_, face), sightings in zip(donors, shown, answers, strict=True)
        if any(one.score >= _SEEN and one.box.iou(face) >= _SAME for one in sightings)
    ]


def _shown(donor: Donor) -> tuple[Rgb, Box]:
    """A face with as much grey about it as detectors are used to, and the place of the face in that."""
    height, width = donor.picture.shape[:2]
    down, across = height // 2, width // 2
    framed = cv2.copyMakeBorder(donor.picture, down, down, across, across, cv2.BORDER_CONSTANT, value=_GREY)
    size = Size(framed.shape[1], framed.shape[0])
    seen = size.fit(_SIDE)
    picture = np.asarray(cv2.resize(framed, (seen.width, seen.height), interpolation=cv2.INTER_AREA), np.uint8)
    face = donor.face
    placed = Box(face.left + across, face.top + down, face.right + across, face.bottom + down)
    return picture, placed.stretched(seen.width / size.width, seen.height / size.height)
