"""The interface of a face-recognition model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.core.picture import Rgb
from engine.record import DetectorFacts

Embeddings = NDArray[np.float64]
"""Embeddings, one in each row; near ones are of one person. They are biometric data: kept in memory, never written."""


class Placement(NamedTuple):
    """The place of the aligned picture of a face, relative to the box of the face.

    Attributes:
        x: Offset of its centre from that of the box to the right, in longer sides of the box.
        y: Offset downwards, in the same unit.
        side: Its side in longer sides of the box.
        angle_rad: Its rotation in radians, in the sense of the model.
    """

    x: float
    y: float
    side: float
    angle_rad: float


class Recogniser(Protocol):
    """A face-recognition model."""

    @property
    def facts(self) -> DetectorFacts:
        """Name, version and weights of the model, for the report."""

    def find_placement(self, picture: Rgb, box: Box) -> Placement:
        """Find the placement of the face in a box from its landmarks."""

    def cut_face(self, picture: Rgb, box: Box, placement: Placement) -> Rgb:
        """Cut out the aligned picture of a face, always of the same size; black outside the frame."""

    def embed_faces(self, faces: Sequence[Rgb]) -> Embeddings:
        """Compute the embeddings of aligned pictures, shape (faces, dimensions)."""


def compute_median_placement(placements: Sequence[Placement]) -> Placement:
    """Return the median placement, upright: it aligns a face of which only the box is known."""
    x, y, side, _ = np.median(np.array(placements, dtype=np.float64), axis=0)
    return Placement(float(x), float(y), float(side), 0.0)
