"""What the benchmark asks of a face-recognition model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.core.picture import Rgb
from engine.record import DetectorFacts

Embeddings = NDArray[np.float64]
"""Embeddings, one a row; near ones are of one person. They are kept in memory only, and never written."""


class Placement(NamedTuple):
    """Where the aligned picture of a face lies, relative to the box of the face.

    Attributes:
        x: its middle less that of the box, in longer sides of the box.
        y: the same downwards.
        side: its side in longer sides of the box.
        angle_rad: how far it is turned, in radians, as the model counts it.
    """

    x: float
    y: float
    side: float
    angle_rad: float


class Recogniser(Protocol):
    """Tells people by their faces."""

    @property
    def facts(self) -> DetectorFacts:
        """Name, version and weights, for the report."""

    def find_placement(self, picture: Rgb, box: Box) -> Placement:
        """Where the landmarks of the face in a box put its aligned picture."""

    def cut_face(self, picture: Rgb, box: Box, placement: Placement) -> Rgb:
        """The aligned picture of a face, always of the same size; what lies beyond the border is black."""

    def embed_faces(self, faces: Sequence[Rgb]) -> Embeddings:
        """The embedding of each aligned picture, shape (faces, dimensions)."""


def compute_median_placement(placements: Sequence[Placement]) -> Placement:
    """The median of placements, upright: how to align a face of which nothing but the box is known."""
    x, y, side, _ = np.median(np.array(placements, dtype=np.float64), axis=0)
    return Placement(float(x), float(y), float(side), 0.0)
