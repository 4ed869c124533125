"""Converts RGB colours to the samples of a pixel format (ITU-R BT.601, BT.709, BT.2020, SMPTE 240M).

In exact integers, so that a colour has the same samples on every processor.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import PixelFormat

_WEIGHT_UNIT = 10_000
_LUMA_WEIGHTS: Mapping[str, tuple[int, int]] = {
    "bt709": (2126, 722),
    "bt470bg": (2990, 1140),
    "smpte170m": (2990, 1140),
    "fcc": (3000, 1100),
    "smpte240m": (2120, 870),
    "bt2020nc": (2627, 593),
    "bt2020c": (2627, 593),
}
"""Share of red and of blue in luma, in ten-thousandths, by FFmpeg's name of the matrix."""
_HD_LINES = 720
"""Height from which a video without a declared matrix is taken as BT.709, and below as BT.601, as players do."""


def choose_matrix(tag: str | None, coded: Size) -> str:
    """Return the declared matrix, or the usual one for the size if none or an unknown one is declared."""
    if tag is not None and tag in _LUMA_WEIGHTS:
        return tag
    return "bt709" if min(coded.width, coded.height) >= _HD_LINES else "smpte170m"


def parse_colour(colour: str) -> NDArray[np.int64]:
    """Return red, green and blue of "#rrggbb", 0 to 255, shape (3,)."""
    return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)], dtype=np.int64)


def samples_from_rgb(rgb: NDArray[np.int64], plane: str, pixel_format: PixelFormat, matrix: str) -> NDArray[np.int64]:
    """Return the samples that RGB values have in a plane.

    Args:
        rgb: 0 to 255, shape (..., 3).
        plane: "y", "u", "v", "g", "b" or "r".
        pixel_format: pixel format, for its bit depth and range.
        matrix: a name that `choose_matrix` returns.
    """
    red, blue = _LUMA_WEIGHTS[matrix]
    luma = rgb @ np.array([red, _WEIGHT_UNIT - red - blue, blue], dtype=np.int64)
    match plane:
        case "y":
            return _scale_luma(luma, 255 * _WEIGHT_UNIT, pixel_format)
        case "u":
            return _scale_chroma(rgb[..., 2] * _WEIGHT_UNIT - luma, 2 * 255 * (_WEIGHT_UNIT - blue), pixel_format)
        case "v":
            return _scale_chroma(rgb[..., 0] * _WEIGHT_UNIT - luma, 2 * 255 * (_WEIGHT_UNIT - red), pixel_format)
        case _:
            return _scale_luma(rgb[..., "rgb".index(plane)], 255, pixel_format)


def _scale_luma(value: NDArray[np.int64], full_scale: int, pixel_format: PixelFormat) -> NDArray[np.int64]:
    # Limited range has 219 steps above 16 for luma at 8 bits, and 224 around 128 for chroma; more bits scale them.
    if pixel_format.full_range:
        return _divide_rounded(value * ((1 << pixel_format.bit_depth) - 1), full_scale)
    return _divide_rounded((16 * full_scale + 219 * value) << (pixel_format.bit_depth - 8), full_scale)


def _scale_chroma(value: NDArray[np.int64], full_scale: int, pixel_format: PixelFormat) -> NDArray[np.int64]:
    highest = (1 << pixel_format.bit_depth) - 1
    if pixel_format.full_range:
        # Full range has one step less above the neutral value than below it, so the brightest blue would overflow.
        return np.minimum(
            _divide_rounded(value * highest + (full_scale << (pixel_format.bit_depth - 1)), full_scale), highest
        )
    return _divide_rounded((128 * full_scale + 224 * value) << (pixel_format.bit_depth - 8), full_scale)


def _divide_rounded(value: NDArray[np.int64], divisor: int) -> NDArray[np.int64]:
    """Divide and round to the nearest integer, halves upwards."""
    nearest: NDArray[np.int64] = (2 * value + divisor) // (2 * divisor)
    return nearest
