"""A picture as the JPEG that is sent: within Rekognition's limits, and the same bytes for the same picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import Rgb

MAX_BYTES = 5 * 1024 * 1024
"""That DetectFaces takes."""
MIN_SIDE_PX = 80
"""Pixels that each side must have at least."""
_QUALITY_STEP = 12
"""Steps of quality by which a picture that is too large is encoded again."""
_MIN_QUALITY = 40


def encode_jpeg(picture: Rgb, quality: int) -> tuple[bytes, Size]:
    """The JPEG and its size in pixels.

    The picture lies in its top left corner; where it has fewer than 80 pixels, black is added at the right and below.
    Encoded once, unless it would have more than 5 MB: then at lower quality, and if need be smaller, but only as much
    as that takes.

    Args:
        picture: upright RGB.
        quality: 1 to 100, as libjpeg means it.
    """
    bgr = cv2.cvtColor(np.ascontiguousarray(_pad_to_min_side(picture)), cv2.COLOR_RGB2BGR)
    while True:
        for poorer in (quality, *range(quality - _QUALITY_STEP, _MIN_QUALITY, -_QUALITY_STEP)):
            data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, poorer])[1].tobytes()
            if len(data) <= MAX_BYTES:
                return data, Size(bgr.shape[1], bgr.shape[0])
        bgr = cv2.resize(bgr, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)


def _pad_to_min_side(picture: Rgb) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    if min(height, width) >= MIN_SIDE_PX:
        return picture
    canvas = np.zeros((max(height, MIN_SIDE_PX), max(width, MIN_SIDE_PX), 3), np.uint8)
    canvas[:height, :width] = picture
    return canvas
