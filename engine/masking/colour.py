"""RGB colours as the samples of a pixel format (ITU-R BT.601, BT.709, BT.2020, SMPTE 240M), in exact integers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import PixelFormat

_WHOLE = 10_000
_WEIGHTS: Mapping[str, tuple[int, int]] = {
    "bt709": (2126, 722),
    "bt470bg": (2990, 1140),
    "smpte170m": (2990, 1140),
    "fcc": (3000, 1100),
    "smpte240m": (2120, 870),
    "bt2020nc": (2627, 593),
    "bt2020c": (2627, 593),
}
"""Share of red and of blue in luma, in ten-thousandths, by FFmpeg's name of the matrix."""
_HIGH_DEFINITION = 720
"""Lines from which undeclared video is taken for BT.709, below for BT.601, as players do."""


def matrix_for(tag: str | None, coded: Size) -> str:
    """The matrix to use: the declared one, or, when none that is known is declared, the usual one for the size."""
    if tag is not None and tag in _WEIGHTS:
        return tag
    return "bt709" if min(coded.width, coded.height) >= _HIGH_DEFINITION else "smpte170m"


def parse(colour: str) -> NDArray[np.int64]:
    """Red, green and blue, 0 to 255, of "#rrggbb", shape (3,)."""
    return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)], dtype=np.int64)


def samples(rgb: NDArray[np.int64], plane: str, pixel_format: PixelFormat, matrix: str) -> NDArray[np.int64]:
    """What a plane holds for RGB values.

    Args:
        rgb: 0 to 255, shape (..., 3).
        plane: "y", "u", "v", "g", "b" or "r".
        pixel_format: bit depth and range.
        matrix: one of the names `matrix_for` gives.
    """
    red, blue = _WEIGHTS[matrix]
    luma = rgb @ np.array([red, _WHOLE - red - blue, blue], dtype=np.int64)
    match plane:
        case "y":
            return _luma(luma, 255 * _WHOLE, pixel_format)
        case "u":
            return _chroma(rgb[..., 2] * _WHOLE - luma, 2 * 255 * (_WHOLE - blue), pixel_format)
        case "v":
            return _chroma(rgb[..., 0] * _WHOLE - luma, 2 * 255 * (_WHOLE - red), pixel_format)
        case _:
            return _luma(rgb[..., "rgb".index(plane)], 255, pixel_format)


def _luma(value: NDArray[np.int64], whole: int, pixel_format: PixelFormat) -> NDArray[np.int64]:
    if pixel_format.full_range:
        return _rounded(value * ((1 << pixel_format.bit_depth) - 1), whole)
    return _rounded((16 * whole + 219 * value) << (pixel_format.bit_depth - 8), whole)


def _chroma(value: NDArray[np.int64], whole: int, pixel_format: PixelFormat) -> NDArray[np.int64]:
    highest = (1 << pixel_format.bit_depth) - 1
    if pixel_format.full_range:
        return np.minimum(_rounded(value * highest + (whole << (pixel_format.bit_depth - 1)), whole), highest)
    return _rounded((128 * whole + 224 * value) << (pixel_format.bit_depth - 8), whole)


def _rounded(value: NDArray[np.int64], whole: int) -> NDArray[np.int64]:
    nearest: NDArray[np.int64] = (2 * value + whole) // (2 * whole)
    return nearest
