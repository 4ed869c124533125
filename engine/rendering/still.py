"""Renders a single frame as a still picture, unmasked or as it will be in the output. Runs no model."""

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
"""JPEG quality at which no block is visible on a screen; a 1080p still takes about 300 KB."""


@dataclass(frozen=True, slots=True)
class StillOptions:
    """How a frame is shown.

    Attributes:
        max_side_px: largest length of its longer side; None for the full size.
        style: style of the masks; None shows the frame unmasked.
    """

    max_side_px: int | None = None
    style: Style | None = None


def render_still(frame: SourceFrame, video: VideoFacts, plan: FramePlan, options: StillOptions) -> Rgb:
    """Return a frame upright, with square pixels.

    Masks are painted into the planes by the same code that renders the output, before the conversion to RGB, so that a
    person reviews what will be published.

    Raises:
        StyleError: the image of the style cannot be read or is not the pinned one.
    """
    if options.style is None:
        return frame.rgb(options.max_side_px)
    with frame.open_for_drawing() as canvas:
        planes = canvas.picture(writable=True)
        if plan.covered or frame.damaged:
            cover_picture(planes)
        else:
            redact(planes, plan.boxes, video.orientation, options.style, video.colour.matrix)
        return canvas.rgb(options.max_side_px)


def encode_jpeg(image: Rgb, quality: int = _JPEG_QUALITY) -> bytes:
    """Encode a picture as the bytes of a JPEG file."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done  # it fails for no 8-bit picture of a size that a video can have
    return data.tobytes()
