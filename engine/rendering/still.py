"""A single frame as a still picture, as it is or as a render would leave it. Runs no model."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from engine.core.picture import Rgb
from engine.masking.painter import cover, redact
from engine.masking.style import Style
from engine.media.frame import SourceFrame
from engine.media.source.seek import orientation_of
from engine.record import VideoFacts
from engine.review.plan import FramePlan

_QUALITY = 90
"""Of the JPEG: no block is seen at the size of the screen, and a 1080p still takes some 300 KB."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a frame is to be seen.

    Attributes:
        longest: most pixels of its longer side; None for all there are.
        style: what covers its faces; None leaves them as they are.
    """

    longest: int | None = None
    style: Style | None = None


def picture(frame: SourceFrame, video: VideoFacts, planned: FramePlan, look: Look) -> Rgb:
    """A frame upright, with square pixels; masked in its planes by the very code that renders, where a style is given.

    Raises:
        StyleError: the image of the style cannot be read or is not the pinned one.
    """
    if look.style is None:
        return frame.rgb(look.longest)
    with frame.drawn_over() as sheet:
        planes = sheet.picture(writable=True)
        if planned.covered or frame.damaged:
            cover(planes)
        else:
            redact(planes, planned.boxes, orientation_of(video), look.style, video.colour.matrix)
        return sheet.rgb(look.longest)


def jpeg(seen: Rgb) -> bytes:
    """A picture as the bytes of a JPEG file."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(seen, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done  # it fails for no 8-bit picture of a size that a video can have
    return data.tobytes()
