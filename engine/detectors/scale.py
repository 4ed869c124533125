"""Conversion between display pixels and a detector's picture."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.record import Detection


def scale_to_display(
    detections: Iterable[Detection], longest_side_px: int | None, display: Size
) -> tuple[Detection, ...]:
    """Scale detections from the picture that a detector was given to display pixels, on the record's grid.

    A detection that lies outside the frame is dropped.

    Args:
        detections: detections in pixels of the picture.
        longest_side_px: longest side that the detector wants its pictures to have. None: full size.
        display: display size of the frame.
    """
    return scale_from_picture(detections, display.fit(longest_side_px), display)


def scale_from_picture(detections: Iterable[Detection], picture_size: Size, display: Size) -> tuple[Detection, ...]:
    """Scale detections from a picture of any size to display pixels, as `scale_to_display` does."""
    x, y = display.width / picture_size.width, display.height / picture_size.height
    # Rounding outwards keeps every pixel that the detector flagged covered; rounding to nearest would lose some.
    scaled = ((one, one.box.scale_axes(x, y).round_outwards(display)) for one in detections)
    return tuple(Detection(one.detector, box, round(one.score, 4)) for one, box in scaled if box is not None)


def shrink_picture(picture: Rgb, longest_side_px: int) -> Rgb:
    """Scale a picture down so that its longer side is at most `longest_side_px`; a smaller one stays as it is."""
    size = Size(picture.shape[1], picture.shape[0])
    fitted = size.fit(longest_side_px)
    if fitted == size:
        return picture
    return np.asarray(cv2.resize(picture, (fitted.width, fitted.height), interpolation=cv2.INTER_AREA), np.uint8)
