"""Writes a word into the planes of a picture, so that a draft cannot be mistaken for a release.

Like a mask, it is drawn into the planes themselves: the samples around it stay as they were decoded.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Orientation
from engine.core.picture import Picture, PixelFormat, Plane
from engine.masking import colour, overlay

_LETTER_HEIGHT_SHARE = 0.055
"""Height of the letters as a share of the shorter side of the displayed picture."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TEXT_COLOUR, _BACKGROUND_COLOUR = "#ffffff", "#b3261e"

TextMask = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""Samples of a plane that have the colour of the background, and those that have the colour of the text."""


class Watermark:
    """Writes a word into the top left and the bottom right corner of one picture after another, as displayed.

    Args:
        text: the word, in Latin letters.
        pixel_format: pixel format of the pictures.
        orientation: how coded samples become display pixels.
        matrix: FFmpeg's name of the colour matrix, None when none is declared.
    """

    def __init__(
        self, text: str, pixel_format: PixelFormat, orientation: Orientation, matrix: str | None = None
    ) -> None:
        self._text_image = _render_text(text, orientation)
        matrix = colour.choose_matrix(matrix, orientation.coded)
        self._colours = [
            [
                int(colour.samples_from_rgb(colour.parse_colour(hex_colour), name, pixel_format, matrix))
                for hex_colour in (_BACKGROUND_COLOUR, _TEXT_COLOUR)
            ]
            for name in pixel_format.planes
        ]
        self._plane_masks: list[TextMask] = []

    def draw_on(self, picture: Picture) -> None:
        """Write the word into a picture, in place."""
        # The text is the same for every frame, so it is scaled to the planes once.
        if not self._plane_masks:
            self._plane_masks = [_fit_to_plane(self._text_image, plane.shape) for plane in picture.planes]
        for plane, masks, colours in zip(picture.planes, self._plane_masks, self._colours, strict=True):
            for mask, sample in zip(masks, colours, strict=True):
                plane[mask] = sample


def _render_text(text: str, orientation: Orientation) -> Plane:
    """Draw the background into the first and the text into the second channel of a picture of coded size, 0 or 255."""
    size = orientation.display_size
    canvas = np.zeros((size.height, size.width, 3), np.uint8)
    letters = max(7.0, _LETTER_HEIGHT_SHARE * min(size.height, size.width))
    thick = max(1, round(letters / 8))
    scale = cv2.getFontScaleFromHeight(_FONT, round(letters), thick)
    (width, height), _ = cv2.getTextSize(text, _FONT, scale, thick)
    pad = max(2, round(letters / 2))
    across, down = width + 2 * pad, height + 2 * pad
    # Two corners, so that cropping one edge of the picture does not remove both.
    for left, top in ((0, 0), (size.width - across, size.height - down)):
        cv2.rectangle(canvas, (left, top), (left + across, top + down), (255, 0, 0), cv2.FILLED)
        cv2.putText(canvas, text, (left + pad, top + pad + height), _FONT, scale, (255, 255, 0), thick, cv2.LINE_8)
    # The word is upright for a viewer: drawn in display pixels, then turned the way the camera recorded.
    rotated = np.rot90(canvas, orientation.rotation // 90)
    coded = np.ascontiguousarray(rotated[:, ::-1] if orientation.mirrored else rotated)
    return overlay.stretch_image(coded, (orientation.coded.height, orientation.coded.width))


def _fit_to_plane(canvas: Plane, shape: tuple[int, ...]) -> TextMask:
    small = overlay.stretch_image(canvas, (shape[0], shape[1]))
    return small[..., 0] >= 128, small[..., 1] >= 128
