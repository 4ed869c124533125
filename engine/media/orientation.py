"""Decodes the display matrix of a video."""

from __future__ import annotations

import math
import struct

_FIXED_POINT = 1 << 16


def decode_display_matrix(matrix: bytes) -> tuple[float, bool]:
    """Return degrees clockwise (0 to 360, two decimals) and whether the picture is mirrored before the turn.

    Mirrored means left to right.
    The nine 32-bit numbers are laid out as in ISO/IEC 14496-12, 6.2.2: a point (x, y) with y downwards is shown at
    (a x + c y, b x + d y).

    Raises:
        ValueError: the matrix flattens the picture, so nothing of it would be visible.
    """
    a, b, _, c, d = (value / _FIXED_POINT for value in struct.unpack("<5i", matrix[:20]))
    area = a * d - b * c
    if area == 0:
        raise ValueError("the display matrix flattens the picture")
    # A negative determinant reverses orientation. Undoing the mirroring negates the first column, (a, b).
    mirrored = area < 0
    angle = math.degrees(math.atan2(-b, -a) if mirrored else math.atan2(b, a))
    return round(angle, 2) % 360, mirrored
