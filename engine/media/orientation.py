"""Rotation and mirroring out of a display matrix."""

from __future__ import annotations

import math
import struct

_FIXED_POINT = 1 << 16


def decode_display_matrix(matrix: bytes) -> tuple[float, bool]:
    """Degrees clockwise (0 to 360, two decimals) and whether the picture is mirrored left to right before the turn.

    The nine 32-bit numbers are laid out as in ISO/IEC 14496-12, 6.2.2: a point (x, y) with y downwards is shown at
    (a x + c y, b x + d y).

    Raises:
        ValueError: the matrix has no area, so nothing of the picture would be seen.
    """
    a, b, _, c, d = (value / _FIXED_POINT for value in struct.unpack("<5i", matrix[:20]))
    area = a * d - b * c
    if area == 0:
        raise ValueError("the display matrix flattens the picture")
    mirrored = area < 0
    angle = math.degrees(math.atan2(-b, -a) if mirrored else math.atan2(b, a))
    return round(angle, 2) % 360, mirrored
