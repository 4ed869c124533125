"""A picture as the JPEG that is sent: within Rekognition's limits, and the same bytes for the same picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import Rgb

MOST_BYTES = 5 * 1024 * 1024
"""That DetectFaces takes."""
LEAST_SIDE = 80
"""Pixels that each side must have at least."""
_POORER = 12
"""Steps of quality by which a picture that is too large is encoded again."""
_POOREST = 40


def encoded(picture: Rgb, quality: int) -> tuple[bytes, Size]:
    """The JPEG and its size in pixels.

    The picture lies in its top left corner; where it has fewer than 80 pixels, black is added at the right and below.
    Encoded once, unless it would have more than 5 MB: then at lower quality, and if need be smaller, but only as much
    as that takes.

    Args:
        picture: upright RGB.
        quality: 1 to 100, as libjpeg means it.
    """
    bgr = cv2.cvtColor(np.ascontiguousarray(_padded(picture)), cv2.COLOR_RGB2BGR)
    while True:
        for poorer in (quality, *range(quality - _POORER, _POOREST, -_POORER)):
            data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, poorer])[1].tobytes()
            if len(data) <= MOST_BYTES:
                return data, Size(bgr.shape[1], bgr.shape[0])
        bgr = cv2.resize(bgr, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)


def _padded(picture: Rgb) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    if min(height, width) >= LEAST_SIDE:
        return picture
    canvas = np.zeros((max(height, LEAST_SIDE), max(width, LEAST_SIDE), 3), np.uint8)
    canvas[:height, :width] = picture
    return canvas
