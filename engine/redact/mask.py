"""Which samples of a plane a face's mask covers, and how much.

A mask is a shape about the face box, `scale` times its size. Each sample it touches is covered fully (255); a soft edge
only ever adds samples outside. All shapes are sums of one number a row and one a column, kept as integers, so that a
mask costs one addition a sample and comes out the same on every processor.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Box, Orientation
from engine.picture import PixelFormat
from engine.redact.style import Style

Alpha = NDArray[np.uint8]
"""Cover of each sample, shape (rows, columns): 255 fully, 0 not at all."""

_UNIT = 8000
"""Most steps from the middle of a shape to its outer rim; a soft edge narrower than 255 of them is a hard one."""
_FARTHEST = 16000
"""Two of these still fit into 16 bits."""
_SHARP = 1e-6
"""Radius of a corner that is not round."""


class Patch(NamedTuple):
    """The part of a plane that one mask touches: its first row and column there, and the cover of its samples."""

    top: int
    left: int
    alpha: Alpha

    @property
    def area(self) -> tuple[slice, slice]:
        """The patch as an index into the plane."""
        rows, columns = self.alpha.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)


def patches_of(box: Box, orientation: Orientation, style: Style, pixel_format: PixelFormat) -> tuple[Patch, ...] | None:
    """The patch of each plane that the mask of a face touches, or None when it lies outside the picture.

    A subsampled sample is covered as much as the most covered of the luma samples it stands for.

    Args:
        box: the face in display pixels.
        orientation: how coded samples become display pixels.
        style: shape, scale and soft edge.
        pixel_format: of the planes.
    """
    shift_x, shift_y = pixel_format.chroma_shift
    found = _luma_patch(box, orientation, style, (shift_x, shift_y))
    if found is None:
        return None
    top, left, alpha = found
    size = orientation.coded
    luma = Patch(top, left, alpha[: size.height - top, : size.width - left])
    if not (shift_x or shift_y):
        return (luma,) * len(pixel_format.planes)
    chroma = Patch(top >> shift_y, left >> shift_x, _pooled(alpha, shift_x, shift_y))
    return tuple(chroma if plane in "uv" else luma for plane in pixel_format.planes)


def mask_of(
    boxes: Iterable[Box], orientation: Orientation, style: Style, pixel_format: PixelFormat
) -> tuple[Alpha, ...]:
    """The cover of every sample of every plane: the greatest that any face gives it.

    A sample of 0 leaves the redaction exactly as it was, one of 255 holds nothing of the original.
    """
    size = orientation.coded
    covers = []
    for plane in range(len(pixel_format.planes)):
        right, down = pixel_format.shift(plane)
        covers.append(np.zeros((-(-size.height >> down), -(-size.width >> right)), dtype=np.uint8))
    for box in boxes:
        for cover, patch in zip(covers, patches_of(box, orientation, style, pixel_format) or (), strict=False):
            np.maximum(cover[patch.area], patch.alpha, out=cover[patch.area])
    return tuple(covers)


def _luma_patch(
    box: Box, orientation: Orientation, style: Style, shift: tuple[int, int]
) -> tuple[int, int, Alpha] | None:
    """Top, left and cover, aligned to the chroma grid; rows and columns beyond the picture are not covered."""
    coded = orientation.to_coded(box)
    reach = coded.scaled(style.scale * (1 + style.feather)).clipped(orientation.coded)
    if reach is None:
        return None
    left, top, right, bottom = reach.pixels()
    left, top = left >> shift[0] << shift[0], top >> shift[1] << shift[1]
    width, height = _aligned(right - left, shift[0]), _aligned(bottom - top, shift[1])
    mask = coded.scaled(style.scale)
    aspect = orientation.unrotated.width / orientation.coded.width
    across = _distance(left, width, (mask.left, mask.right))
    down = _distance(top, height, (mask.top, mask.bottom))
    alpha = _cover(style, (mask.width * aspect, mask.height), across, down)
    alpha[orientation.coded.height - top :] = 0
    alpha[:, orientation.coded.width - left :] = 0
    return top, left, alpha


def _aligned(length: int, shift: int) -> int:
    return -(-length >> shift) << shift


def _distance(start: int, count: int, ends: tuple[float, float]) -> NDArray[np.float64]:
    """How far the nearest point of each sample is from the middle between two ends, in halves of their distance."""
    half = (ends[1] - ends[0]) / 2
    middles = np.arange(start, start + count) + 0.5
    distance: NDArray[np.float64] = np.maximum(np.abs(middles - (ends[0] + half)) - 0.5, 0.0) / half
    return distance


def _cover(style: Style, sides: tuple[float, float], across: NDArray[np.float64], down: NDArray[np.float64]) -> Alpha:
    """Cover from the distances along both axes.

    An ellipse is where the squares of both distances add up to at most 1. A rectangle with round corners is the same
    for the distances from its straight parts, in radii of the corner; a soft edge makes the corner rounder outside.
    """
    if style.shape == "ellipse":
        outer = 1.0 + style.feather
        return _ramp(across / outer, down / outer, 1.0 / outer)
    corner = style.corner if style.shape == "rounded" else 0.0
    outer = max(corner + style.feather, _SHARP)
    lengths = []
    for distance, side in zip((across, down), sides, strict=True):
        half_sides = min(sides) / side
        lengths.append(np.maximum(distance - (1.0 - corner * half_sides), 0.0) / (outer * half_sides))
    return _ramp(lengths[0], lengths[1], corner / outer)


def _ramp(across: NDArray[np.float64], down: NDArray[np.float64], rim: float) -> Alpha:
    """255 where the squares add up to at most `rim` squared, falling to 0 where they add up to 1."""
    unit = _UNIT if 1.0 - rim * rim < 255 / _UNIT else 255 / (1.0 - rim * rim)
    row, column = (
        np.minimum(np.floor(distance * distance * unit), _FARTHEST).astype(np.int16) for distance in (across, down)
    )
    total, core = np.add.outer(column, row), math.ceil(rim * rim * unit)
    if unit == _UNIT:
        return (total <= core).astype(np.uint8) * np.uint8(255)
    np.subtract(np.int16(255 + core), total, out=total)
    return np.clip(total, 0, 255, out=total).astype(np.uint8)


def _pooled(alpha: Alpha, shift_x: int, shift_y: int) -> Alpha:
    """The greatest cover of each block of 2**shift_y rows and 2**shift_x columns."""
    for _ in range(shift_y):
        alpha = np.maximum(alpha[::2], alpha[1::2])
    for _ in range(shift_x):
        alpha = np.maximum(alpha[:, ::2], alpha[:, 1::2])
    return alpha
