"""Measure how much of a face the masks of a render cover, and how large the masks are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Orientation
from engine.core.picture import PixelFormat
from engine.masking.mask import compute_mask, compute_patches
from engine.masking.style import Style

_OPAQUE = 255
_LUMA_FORMAT = PixelFormat("gray", 8, (0, 0), "y", full_range=False)
"""Subsampled chroma is covered wherever luma is, so one plane is enough."""


def measure_hidden_share(face: Box, boxes: Iterable[Box], orientation: Orientation, style: Style) -> float:
    """Return the share (0 to 1) of the area of `face` that is fully covered; a soft edge covers nothing.

    Args:
        face: Box of the face in display pixels, inside the picture.
        boxes: Boxes of the faces of the record in that frame, in display pixels.
        orientation: Orientation of the coded samples.
        style: The style of the masks.
    """
    coded = orientation.to_coded(face)
    left, top, right, bottom = coded.to_pixel_bounds()
    # The feather lies outside the mask, so the mask with its soft edge reaches this much further than the box.
    reach = style.scale * (1 + style.feather)
    hidden = np.zeros((bottom - top, right - left), dtype=np.bool_)
    for box in boxes:
        if _may_touch(orientation.to_coded(box).scale(reach), coded):
            _draw_mask(box, orientation, style, hidden, (top, left))
    # The usual case, and the weights of the border pixels do not matter in it.
    if hidden.all():
        return 1.0
    rows, columns = _compute_pixel_weights(coded.top, coded.bottom), _compute_pixel_weights(coded.left, coded.right)
    return round(float(rows @ hidden @ columns), 6)


def measure_mask_area(boxes: Iterable[Box], orientation: Orientation, style: Style) -> float:
    """Return the area in display pixels that the masks of a frame change, with soft edges, overlaps counted once.

    Args:
        boxes: Boxes of the faces of the record in that frame, in display pixels.
        orientation: Orientation of the coded samples.
        style: The style of the masks.
    """
    (alpha,) = compute_mask(boxes, orientation, style, _LUMA_FORMAT)
    # Coded samples need not be square on the screen.
    display, coded = orientation.display_size, orientation.coded
    return float(np.count_nonzero(alpha)) * (display.width * display.height) / (coded.width * coded.height)


def _may_touch(mask: Box, face: Box) -> bool:
    """Return whether pixels of both may overlap. This is cheaper than drawing a mask that is far away."""
    return (
        mask.left < face.right + 2
        and face.left < mask.right + 2
        and mask.top < face.bottom + 2
        and face.top < mask.bottom + 2
    )


def _draw_mask(
    box: Box, orientation: Orientation, style: Style, hidden: NDArray[np.bool_], corner: tuple[int, int]
) -> None:
    """Mark the pixels that the mask of `box` covers in a window; `corner` is its first row and column in the plane."""
    patches = compute_patches(box, orientation, style, _LUMA_FORMAT)
    if patches is None:
        return
    (rows, columns), alpha = hidden.shape, patches[0].alpha
    down, across = patches[0].top - corner[0], patches[0].left - corner[1]
    height, width = alpha.shape
    top, bottom = max(0, down), min(rows, down + height)
    left, right = max(0, across), min(columns, across + width)
    if top < bottom and left < right:
        hidden[top:bottom, left:right] |= alpha[top - down : bottom - down, left - across : right - across] == _OPAQUE


def _compute_pixel_weights(start: float, end: float) -> NDArray[np.float64]:
    """Return the share of an interval that each pixel it touches holds."""
    edges = np.arange(np.floor(start), np.ceil(end) + 1)
    weights: NDArray[np.float64] = np.diff(np.clip(edges, start, end)) / (end - start)
    return weights
