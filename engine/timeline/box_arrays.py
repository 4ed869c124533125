"""Boxes of one frame as arrays, so that all pairs are compared at once: a crowd has hundreds of boxes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box

Boxes = NDArray[np.float64]
"""Boxes as left, top, right, bottom; shape (..., 4)."""


def boxes_to_array(boxes: Iterable[Box]) -> Boxes:
    """Return boxes as an array of shape (n, 4)."""
    sides = [(box.left, box.top, box.right, box.bottom) for box in boxes]
    return np.array(sides, dtype=np.float64).reshape(-1, 4)


def measure_areas(boxes: Boxes) -> NDArray[np.float64]:
    """Return the area of each box, with the digits of `Box.area`."""
    areas: NDArray[np.float64] = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return areas


def measure_shared_areas(one: Boxes, other: Boxes) -> NDArray[np.float64]:
    """Return the area that boxes have in common, with the digits of `Box.intersection_area`."""
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared: NDArray[np.float64] = np.maximum(sides, 0.0).prod(axis=-1)
    return shared


def measure_overlaps(one: Boxes, other: Boxes) -> NDArray[np.float64]:
    """Return the IoU of each box of `one` (rows) with each of `other` (columns), with the digits of `Box.iou`."""
    shared = measure_shared_areas(one[:, None], other[None])
    overlaps: NDArray[np.float64] = shared / (measure_areas(one)[:, None] + measure_areas(other)[None] - shared)
    return overlaps
