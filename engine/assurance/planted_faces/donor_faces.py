"""Select the faces to plant.

A face of the video is planted only if two detectors take it for one. What a single detector takes for a face may be
something else, and planting that would measure nothing.
"""

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
from engine.detectors.table import DETECTORS
from engine.record import Record

_MIN_CONFIRM_SCORE = 0.5
"""Score from which the second detector confirms a face."""
_CONFIRM_IOU = 0.35
"""IoU of the two boxes from which they are the same face. It is low because detectors draw boxes differently."""
_CONFIRM_SIDE_PX = 256
"""Longest side, in pixels, of the picture that the second detector gets."""
_PADDING_COLOUR = (114, 114, 114)
_MIN_CLIP_DONORS = 2
"""Number of faces of the video below which the picture of the package is planted too."""


def select_donor_faces(
    candidates: Sequence[DonorFace], record: Record, start_detectors: StartDetectors, models_folder: Path
) -> list[DonorFace]:
    """Return the faces of the video that are faces for certain, and that of the package if those are few.

    Args:
        candidates: Faces of the video that every detector of the record found with a high score.
        record: The record of the video.
        start_detectors: Starts the second detector, if the record has only one.
        models_folder: Folder of the weights.

    Raises:
        ModelError: Weights are missing or not the pinned ones.
        DetectorError: The process of the detector died, hung or failed.
    """
    second_detector = choose_second_detector(record)
    donors = (
        _confirm_donor_faces(candidates, second_detector, start_detectors, models_folder)
        if second_detector is not None and candidates
        else list(candidates)
    )
    package_donor = load_package_donor() if len(donors) < _MIN_CLIP_DONORS else None
    return donors if package_donor is None else [*donors, package_donor]


def choose_second_detector(record: Record) -> DetectorPlan | None:
    """Return a detector that the record did not use; None if the record has several, which agree already."""
    used = {facts.name for facts in record.detection.detectors}
    if len(used) > 1:
        return None
    unused = ((name, row.crop_parameters) for name, row in DETECTORS.items() if name not in used)
    return next((plan_detector(name, parameters) for name, parameters in unused if parameters is not None), None)


def _confirm_donor_faces(
    candidates: Sequence[DonorFace], second_detector: DetectorPlan, start_detectors: StartDetectors, models_folder: Path
) -> list[DonorFace]:
    padded = [_pad_donor_face(donor) for donor in candidates]
    with start_detectors([second_detector], models_folder, 1) as ensemble:
        ensemble.set_first_ticket(0)
        for ticket, (picture, _) in enumerate(padded):
            ensemble.submit(ticket, {second_detector.longest_side: [picture]}, f"face {ticket} of the clip")
        answers = [answer[second_detector.name].detections[0] for _, answer in ensemble.drain()]
    return [
        donor
        for donor, (_, face), detections in zip(candidates, padded, answers, strict=True)
        if any(one.score >= _MIN_CONFIRM_SCORE and one.box.iou(face) >= _CONFIRM_IOU for one in detections)
    ]


def _pad_donor_face(donor: DonorFace) -> tuple[Rgb, Box]:
    """Return a face with a grey margin, and the box of the face in that picture.

    A detector finds a face that fills the picture badly, because it was trained on faces with surroundings.
    """
    height, width = donor.picture.shape[:2]
    down, across = height // 2, width // 2
    framed = cv2.copyMakeBorder(donor.picture, down, down, across, across, cv2.BORDER_CONSTANT, value=_PADDING_COLOUR)
    size = Size(framed.shape[1], framed.shape[0])
    scaled = size.fit(_CONFIRM_SIDE_PX)
    picture = np.asarray(cv2.resize(framed, (scaled.width, scaled.height), interpolation=cv2.INTER_AREA), np.uint8)
    face = donor.face_box
    placed = Box(face.left + across, face.top + down, face.right + across, face.bottom + down)
    return picture, placed.scale_axes(scaled.width / size.width, scaled.height / size.height)
