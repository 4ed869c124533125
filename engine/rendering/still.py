"""A single frame as a still picture, as it is or as a render would leave it. Runs no model."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from engine.core.picture import Rgb
from engine.masking.painter import cover_picture, redact
from engine.masking.style import Style
from engine.media.frame import SourceFrame
from engine.record import VideoFacts
from engine.review.plan import FramePlan

_JPEG_QUALITY = 90
"""Of the JPEG: no block is seen at the size of the screen, and a 1080p still takes some 300 KB."""


@dataclass(frozen=True, slots=True)
class StillOptions:
    """How a frame is to be seen.

    Attributes:
        max_side_px: most pixels of its longer side; None for all there are.
        style: what covers its faces; None leaves them as they are.
    """

    max_side_px: int | None = None
    style: Style | None = None


def render_still(frame: SourceFrame, video: VideoFacts, plan: FramePlan, options: StillOptions) -> Rgb:
    """A frame upright, with square pixels; masked in its planes by the very code that renders, where a style is given.

    Raises:
        StyleError: the image of the style cannot be read or is not the pinned one.
    """
    if options.style is None:
        return frame.rgb(options.max_side_px)
    with frame.open_for_drawing() as sheet:
        planes = sheet.picture(writable=True)
        if plan.covered or frame.damaged:
            cover_picture(planes)
        else:
            redact(planes, plan.boxes, video.orientation, options.style, video.colour.matrix)
        return sheet.rgb(options.max_side_px)


def encode_jpeg(image: Rgb) -> bytes:
    """A picture as the bytes of a JPEG file."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert done  # it fails for no 8-bit picture of a size that a video can have
    return data.tobytes()
