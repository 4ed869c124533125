"""What opaque styles put over a face: a built-in pattern or a picture from a file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.core.geometry import Orientation, Size
from engine.core.picture import Plane
from engine.errors import StyleError
from engine.masking.style import Pattern
from engine.record import sha256_hex

_STEPS_PER_TILE = 4096
"""Steps a tile, so that tiles need not be whole samples."""
_GRID_LINE_DIVISOR = 4
"""A line of the grid is this part of a tile."""
_MAX_IMAGE_SIDE_PX = 512
"""Longest side of an image that is kept; a face is rarely larger and never needs more detail."""


def draw_pattern(name: Pattern, shape: tuple[int, int], tile: tuple[float, float]) -> NDArray[np.bool_]:
    """Where the second colour of a pattern is; shape (rows, columns), tile as rows and columns in samples."""
    down, across = (max(1, round(_STEPS_PER_TILE / length)) for length in tile)
    if name == "stripes":
        line = np.arange(shape[0] * down + shape[1] * across) % _STEPS_PER_TILE >= _STEPS_PER_TILE // 2
        slanted: NDArray[np.bool_] = sliding_window_view(line, shape[1] * across)[: shape[0] * down : down, ::across]
        return slanted
    rows, columns = (
        np.arange(shape[0])[:, None] * down % _STEPS_PER_TILE,
        np.arange(shape[1]) * across % _STEPS_PER_TILE,
    )
    if name == "checker":
        checked: NDArray[np.bool_] = (rows >= _STEPS_PER_TILE // 2) != (columns >= _STEPS_PER_TILE // 2)
        return checked
    return (rows < _STEPS_PER_TILE // _GRID_LINE_DIVISOR) | (columns < _STEPS_PER_TILE // _GRID_LINE_DIVISOR)


def load_image(path: str, sha256: str, background: NDArray[np.int64], orientation: Orientation) -> NDArray[np.uint8]:
    """A picture from a file on an opaque background, turned as coded samples are; shape (rows, columns, 3), RGB.

    Args:
        path: of the file.
        sha256: what its bytes must hash to.
        background: RGB that shows where the picture is transparent.
        orientation: how coded samples become display pixels.

    Raises:
        StyleError: the file cannot be read, is not the pinned one, or is no picture.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise StyleError(f"The image {path} cannot be read: {error.strerror}. Give the path of a picture.") from error
    if sha256_hex(data) != sha256:
        raise StyleError(f"The image {path} has the hash {sha256_hex(data)}, the style asks for {sha256}.")
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if image is None or image.dtype not in {np.dtype(np.uint8), np.dtype(np.uint16)}:
        raise StyleError(f"The image {path} is not a picture that can be read; use PNG or JPEG.")
    size = Size(image.shape[1], image.shape[0]).fit(_MAX_IMAGE_SIDE_PX)
    small = stretch_image(_flatten_alpha(image, background), (size.height, size.width))
    turned = np.rot90(small, orientation.rotation // 90)
    return np.ascontiguousarray(turned[:, ::-1] if orientation.mirrored else turned)


def stretch_image(image: Plane, shape: tuple[int, int]) -> Plane:
    """An image or a plane of one resized to `shape` (rows, columns), the same on every processor."""
    rows, columns = shape
    for size in ((columns, image.shape[0]), (columns, rows)):
        smaller = size[0] <= image.shape[1] and size[1] <= image.shape[0]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR_EXACT)
    return image


def _flatten_alpha(image: NDArray[np.uint8] | NDArray[np.uint16], background: NDArray[np.int64]) -> NDArray[np.uint8]:
    """RGB of a decoded picture (grey, BGR or BGRA, 8 or 16 bits) on a background."""
    eight = image if image.dtype == np.uint8 else image >> 8
    if eight.ndim == 2:
        return np.repeat(eight[..., None], 3, axis=2).astype(np.uint8)
    rgb = eight[..., 2::-1].astype(np.int64)
    if eight.shape[2] == 4:
        alpha = eight[..., 3:].astype(np.int64)
        rgb = (rgb * alpha + background * (255 - alpha) + 127) // 255
    return rgb.astype(np.uint8)
