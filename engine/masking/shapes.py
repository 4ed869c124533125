"""The shapes of a mask, one row each.

To add a shape, write a function like `_measure_ellipse` and add a row to `SHAPES`. The command line, the live controls,
the pages and the checks of a style read this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Distances = NDArray[np.float64]
"""One distance for each row, or for each column, of a patch."""

_SHARP_CORNER_RADIUS = 1e-6
"""Radius of a corner that is not round. Not 0, because distances are divided by it."""


class ShapeValues(Protocol):
    """The values of a style that a shape may use."""

    @property
    def feather(self) -> float:
        """Width of the soft edge, in half-axes of the mask."""

    @property
    def corner(self) -> float:
        """Radius of rounded corners, in halves of the shorter side of the mask."""


class MaskExtent(NamedTuple):
    """The size of a mask in a plane, and the position of its rows and columns.

    Attributes:
        sides: width and height of the mask without its soft edge, in units of equal length.
        across: for each column, the distance of its nearest point from the middle, in halves of the width.
        down: for each row, the distance of its nearest point from the middle, in halves of the height.
    """

    sides: tuple[float, float]
    across: Distances
    down: Distances


class ShapeDistances(NamedTuple):
    """Distances of columns and rows such that a sample is inside where their squares add up to little enough.

    Attributes:
        across: for each column; the sum of squares is 1 where the soft edge ends.
        down: for each row.
        rim: up to the square of this number a sample is covered fully, from 0 to 1.
    """

    across: Distances
    down: Distances
    rim: float


MeasureShape = Callable[[ShapeValues, MaskExtent], ShapeDistances]


class MaskShape(NamedTuple):
    """A row of the table of shapes.

    Attributes:
        label: name on pages.
        measure: turns the distances of rows and columns from the middle into distances from the rim.
        parameters: fields of `Style` that only this shape uses.
        full_cover_scale: a scale from which on the shape covers the whole face box, whatever the soft edge. Live runs
            enlarge a mask to it when this shape replaces the preset's own.
        min_scale: smallest scale that hides a face; None when the limit of all shapes is enough.
        min_scale_reason: why a smaller one does not, as the end of a sentence.
    """

    label: str
    measure: MeasureShape
    parameters: tuple[str, ...] = ()
    full_cover_scale: float = 1.0
    min_scale: float | None = None
    min_scale_reason: str = ""


def _measure_ellipse(values: ShapeValues, extent: MaskExtent) -> ShapeDistances:
    """Measure an ellipse: the points whose squared distances along both axes add up to at most 1."""
    outer = 1.0 + values.feather
    return ShapeDistances(extent.across / outer, extent.down / outer, 1.0 / outer)


def _measure_superellipse(values: ShapeValues, extent: MaskExtent) -> ShapeDistances:
    """Measure an ellipse with fuller corners: the fourth powers of the distances add up to at most 1 (Lame curve)."""
    outer = 1.0 + values.feather
    return ShapeDistances((extent.across / outer) ** 2, (extent.down / outer) ** 2, 1.0 / outer**2)


def _measure_rectangle(values: ShapeValues, extent: MaskExtent) -> ShapeDistances:
    return _measure_corners(values.feather, 0.0, extent)


def _measure_rounded(values: ShapeValues, extent: MaskExtent) -> ShapeDistances:
    return _measure_corners(values.feather, values.corner, extent)


def _measure_corners(feather: float, corner: float, extent: MaskExtent) -> ShapeDistances:
    """Measure a rectangle with corners of this radius, as ellipses about the ends of its straight parts.

    The soft edge is a wider radius about the same points, so it makes the corner rounder outside the mask.
    """
    outer = max(corner + feather, _SHARP_CORNER_RADIUS)
    lengths = []
    for distance, side in zip((extent.across, extent.down), extent.sides, strict=True):
        # The radius is given in halves of the shorter side, distances in halves of the side they run along.
        half_sides = min(extent.sides) / side
        lengths.append(np.maximum(distance - (1.0 - corner * half_sides), 0.0) / (outer * half_sides))
    return ShapeDistances(lengths[0], lengths[1], corner / outer)


SHAPES: Mapping[str, MaskShape] = {
    "ellipse": MaskShape(
        "Ellipse",
        _measure_ellipse,
        full_cover_scale=1.45,  # the ellipse through the corners of a box is larger by the square root of 2
        min_scale=1.2,
        min_scale_reason="a smaller ellipse leaves more than a twentieth of the face box open",
    ),
    "superellipse": MaskShape(
        "Full ellipse",
        _measure_superellipse,
        full_cover_scale=1.19,  # the fourth root of 2: the curve goes through the corners of the box
        min_scale=1.05,
        min_scale_reason="a smaller one leaves more than a twentieth of the face box open",
    ),
    "rounded": MaskShape(
        "Rounded rectangle",
        _measure_rounded,
        ("corner",),
        full_cover_scale=1.15,
        min_scale=1.15,
        min_scale_reason="with its roundest corners, a smaller one leaves more than a twentieth of the face box open",
    ),
    "rectangle": MaskShape("Rectangle", _measure_rectangle),
}
"""Every shape by the name it has in a style, in the order in which people choose from them.

A shape has to provide:

- a boundary that is a sum of one term for each row and one for each column, as `ShapeDistances` has it. `mask.py` adds
  two small vectors of integers for every sample it needs instead of computing a picture of the mask, and finds the part
  of each row that is covered by searching in one of the vectors. Polygons and other outlines that are no such sum
  cannot be added as a row.
- full cover inside the mask at every soft edge: the edge lies outside, so that a softer mask never shows more.
- `min_scale`, if at scale 1 it leaves more than a twentieth of the face box open; a test measures that.
- mirror symmetry about both axes, since only distances from the middle are known. The rotation of the video is then
  without effect.
- for a value of its own, a field in `Style` and its name in `ShapeValues` and `parameters`.
"""
