"""How much of a face lies under the masks of a record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Box, Orientation, Size
from engine.picture import PixelFormat
from engine.record import VideoFacts, fraction
from engine.redact.mask import patches_of
from engine.redact.style import Style

OPAQUE = 255
_LUMA = PixelFormat("gray", 8, (0, 0), "y", full_range=False)
"""Chroma is covered wherever luma is, so one plane tells."""


class Screen(Protocol):
    """Tells how much of a face is hidden."""

    def hidden(self, face: Box, boxes: Iterable[Box]) -> float:
        """The share (0 to 1) of the box of a face that the masks of `boxes` hide; display pixels, all of them."""


class StyleScreen:
    """Draws the masks as a render of the same video in the same style does; only opaque samples hide."""

    def __init__(self, video: VideoFacts, style: Style) -> None:
        self._style = style
        self._orientation = Orientation(
            video.coded, fraction(video.sample_aspect_ratio), video.rotation, video.mirrored
        )

    def hidden(self, face: Box, boxes: Iterable[Box]) -> float:
        """See `Screen`."""
        coded = self._orientation.to_coded(face)
        left, top, right, bottom = coded.pixels()
        opaque = np.zeros((bottom - top, right - left), dtype=np.bool_)
        for box in boxes:
            self._draw(box, coded, opaque, (top, left))
        rows, columns = _weights(coded.top, coded.bottom), _weights(coded.left, coded.right)
        return float(rows @ opaque @ columns)
