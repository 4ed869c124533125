"""The JPEG that is sent for a picture: within Rekognition's limits, and the same bytes for the same picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size
from engine.core.picture import Rgb

MAX_BYTES = 5 * 1024 * 1024
"""Largest picture that DetectFaces takes."""
MIN_SIDE_PX = 80
"""Shortest side that DetectFaces takes."""
_QUALITY_STEP = 12
"""Step by which the quality is lowered if a picture is too large."""
_MIN_QUALITY = 40


def encode_jpeg(picture: Rgb, quality: int) -> tuple[bytes, Size]:
    """Encode a picture; return the JPEG and its size in pixels.

    If a side has fewer than 80 pixels, black is added at the right or below. If the JPEG has more than 5 MB, the
    quality is lowered and, if that is not enough, the picture is scaled down, each no more than necessary.

    Args:
        picture: upright RGB picture.
        quality: libjpeg's quality, 1 to 100.
    """
    bgr = cv2.cvtColor(np.ascontiguousarray(_pad_to_min_side(picture)), cv2.COLOR_RGB2BGR)
    while True:
        for lowered in (quality, *range(quality - _QUALITY_STEP, _MIN_QUALITY, -_QUALITY_STEP)):
            data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, lowered])[1].tobytes()
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
