"""Conversion of detections from a detector's picture to display pixels."""

from __future__ import annotations

from collections.abc import Iterable

from engine.core.geometry import Size
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
    picture_size = display.fit(longest_side_px)
    x, y = display.width / picture_size.width, display.height / picture_size.height
    # Rounding outwards keeps every pixel that the detector flagged covered; rounding to nearest would lose some.
    scaled = ((one, one.box.scale_axes(x, y).round_outwards(display)) for one in detections)
    return tuple(Detection(one.detector, box, round(one.score, 4)) for one, box in scaled if box is not None)
