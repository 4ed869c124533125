"""The face-recognition network of dlib (a ResNet with 29 layers and 128 dimensions; King, dlib-models, 2017).

Only this module imports dlib. It runs in the process of the benchmark, which loads no other such library.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.assurance.reidentification.base import Embeddings, Placement
from engine.core.geometry import Box
from engine.core.picture import Rgb
from engine.detectors import optional_imports
from engine.detectors.weights import describe_models, verify_model_path
from engine.record import DetectorFacts

_NETWORK_FILE = "dlib_face_recognition_resnet_model_v1.dat"
_LANDMARKS_FILE = "shape_predictor_5_face_landmarks.dat"
_PICTURE_SIDE_PX = 150
"""Side of an aligned picture, as in the training of the network."""
_PADDING_SHARE = 0.25
_BATCH_PICTURES = 16
"""Number of pictures that the network processes at once."""


class DlibResnet:
    """A `Recogniser` with the weights of the package face_recognition_models.

    Args:
        models_folder: Folder of the weights.

    Raises:
        ModelError: Weights are missing or not the pinned ones.
        InputError: dlib is not installed.
    """

    def __init__(self, models_folder: Path) -> None:
        self._dlib: Any = optional_imports.import_library("dlib", "dlib-bin")
        self._network = self._dlib.face_recognition_model_v1(str(verify_model_path(models_folder, _NETWORK_FILE)))
        self._landmark_model = self._dlib.shape_predictor(str(verify_model_path(models_folder, _LANDMARKS_FILE)))

    @property
    def facts(self) -> DetectorFacts:
        """Name, version and weights of the model."""
        parameters = {"side": _PICTURE_SIDE_PX, "padding": _PADDING_SHARE}
        return DetectorFacts(
            "dlib-resnet",
            optional_imports.find_versions("dlib-bin"),
            describe_models(_NETWORK_FILE, _LANDMARKS_FILE),
            parameters,
        )

    def find_placement(self, picture: Rgb, box: Box) -> Placement:
        """Find the placement: landmarks from the box, then once more from the place that these give."""
        (x, y), side = box.centre, 0.9 * (box.area**0.5)
        for _ in range(2):
            half = side / 2
            square = self._dlib.rectangle(round(x - half), round(y - half), round(x + half), round(y + half))
            found = self._dlib.get_face_chip_details(
                self._landmark_model(picture, square), _PICTURE_SIDE_PX, _PADDING_SHARE
            )
            x, y = found.rect.center().x, found.rect.center().y
            side = found.rect.width() / (1 + 2 * _PADDING_SHARE)
        longest, (left, top) = max(box.width, box.height), box.centre
        return Placement((x - left) / longest, (y - top) / longest, found.rect.width() / longest, found.angle)

    def cut_face(self, picture: Rgb, box: Box, placement: Placement) -> Rgb:
        """Cut out the aligned picture, 150 by 150 pixels."""
        longest, (x, y) = max(box.width, box.height), box.centre
        x, y, half = x + placement.x * longest, y + placement.y * longest, placement.side * longest / 2
        where = self._dlib.drectangle(x - half, y - half, x + half, y + half)
        details = self._dlib.chip_details(
            where, self._dlib.chip_dims(_PICTURE_SIDE_PX, _PICTURE_SIDE_PX), placement.angle_rad
        )
        cut: Rgb = self._dlib.extract_image_chip(picture, details)
        return cut

    def embed_faces(self, faces: Sequence[Rgb]) -> Embeddings:
        """Compute the embeddings, shape (faces, 128)."""
        rows = [
            np.array(row, dtype=np.float64)
            for start in range(0, len(faces), _BATCH_PICTURES)
            for row in self._network.compute_face_descriptor(list(faces[start : start + _BATCH_PICTURES]))
        ]
        return np.array(rows, dtype=np.float64).reshape(len(faces), 128)
