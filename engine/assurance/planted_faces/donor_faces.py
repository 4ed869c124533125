"""Faces to plant are held against a second detector first: what only one detector takes for a face may be none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engine.assurance.leak_check.check_detectors import StartDetectors
from engine.assurance.planted_faces.compositing import DonorFace, load_package_donor
from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.detectors.registry import DetectorPlan, plan_detector
from engine.record import Record

_MIN_CONFIRM_SCORE = 0.5
"""Score from which the second detector confirms a face."""
_CONFIRM_IOU = 0.35
"""IoU of their boxes: detectors draw them differently."""
_CONFIRM_SIDE_PX = 256
"""Longest side, in pixels, at which it sees a face with the grey about it."""
_PADDING_COLOUR = (114, 114, 114)
_MIN_CLIP_DONORS = 2
"""Faces of the clip below which the package's picture is planted too."""


def select_donor_faces(
    candidates: Sequence[DonorFace], record: Record, start_detectors: StartDetectors, models_folder: Path
) -> list[DonorFace]:
    """Those faces of the clip that are faces for certain, and the package's where there are few and it is installed.

    Args:
        candidates: faces of the clip, each seen well by every detector of the record.
        record: of the clip.
        start_detectors: starts the second detector, where the record has one only.
        models_folder: folder of the weights.

    Raises:
        ModelError: weights are missing or not the pinned ones.
        DetectorError: the detector's process died, hung or failed.
    """
    witness = _choose_second_detector(record)
    donors = (
        _confirm_donor_faces(candidates, witness, start_detectors, models_folder)
        if witness is not None and candidates
        else list(candidates)
    )
    spare = load_package_donor() if len(donors) < _MIN_CLIP_DONORS else None
    return donors if spare is None else [*donors, spare]


def _choose_second_detector(record: Record) -> DetectorPlan | None:
    """A detector that the record did not use; None where the faces are seen by several already."""
    used = {facts.name for facts in record.detection.detectors}
    if len(used) > 1:
        return None
    return plan_detector("centerface" if "yolov8-face" in used else "yolov8-face", {"size": 320})


def _confirm_donor_faces(
    candidates: Sequence[DonorFace], second_detector: DetectorPlan, start_detectors: StartDetectors, models_folder: Path
) -> list[DonorFace]:
    shown = [_pad_donor_face(donor) for donor in candidates]
    with start_detectors([second_detector], models_folder, 1) as crew:
        crew.set_first_ticket(0)
        for ticket, (picture, _) in enumerate(shown):
            crew.submit(ticket, {second_detector.longest_side: [picture]}, f"face {ticket} of the clip")
        answers = [answer[second_detector.name].detections[0] for _, answer in crew.drain()]
    return [
        donor
        for donor, (_, face), sightings in zip(candidates, shown, answers, strict=True)
        if any(one.score >= _MIN_CONFIRM_SCORE and one.box.iou(face) >= _CONFIRM_IOU for one in sightings)
    ]


def _pad_donor_face(donor: DonorFace) -> tuple[Rgb, Box]:
    """A face with as much grey about it as detectors are used to, and the place of the face in that."""
    height, width = donor.picture.shape[:2]
    down, across = height // 2, width // 2
    framed = cv2.copyMakeBorder(donor.picture, down, down, across, across, cv2.BORDER_CONSTANT, value=_PADDING_COLOUR)
    size = Size(framed.shape[1], framed.shape[0])
    seen = size.fit(_CONFIRM_SIDE_PX)
    picture = np.asarray(cv2.resize(framed, (seen.width, seen.height), interpolation=cv2.INTER_AREA), np.uint8)
    face = donor.face_box
    placed = Box(face.left + across, face.top + down, face.right + across, face.bottom + down)
    return picture, placed.scale_axes(seen.width / size.width, seen.height / size.height)
