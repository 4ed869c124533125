"""Faces hidden in the planes of a decoded picture, in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.geometry import Box, Orientation
from engine.picture import Picture, PixelFormat, Plane
from engine.redact import blur, colour, overlay
from engine.redact.mask import Alpha, patches_of
from engine.redact.style import Style


def redact(
    picture: Picture, boxes: Sequence[Box], orientation: Orientation, style: Style, matrix: str | None = None
) -> None:
    """Hide faces in place; samples outside the masks keep their value.

    The result does not depend on the order of the boxes. Where masks overlap, the later one (by box) is laid over the
    earlier, so that a sample inside any mask holds nothing of the original.

    Args:
        picture: with writable planes of coded samples.
        boxes: faces in display pixels; they may cross the border.
        orientation: how coded samples become display pixels.
        style: what to put there; whether it hides a face is for `style.check` to say.
        matrix: FFmpeg's name of the colour matrix, for styles with colours; None when none is declared.

    Raises:
        StyleError: the image of the style cannot be read or is not the pinned one.
    """
    painter = _Painter(picture.format, orientation, style, colour.matrix_for(matrix, orientation.coded))
    for box in sorted(set(boxes), key=lambda box: (box.left, box.top, box.right, box.bottom)):
        for index, patch in enumerate(patches_of(box, orientation, style, picture.format) or ()):
            there = picture.planes[index][patch.area]
            _lay(there, painter.filling(there, index, box), patch.alpha)


def cover(picture: Picture) -> None:
    """Turn a picture black, in place; nothing of the original stays."""
    black = np.zeros(3, dtype=np.int64)
    for plane, name in zip(picture.planes, picture.format.planes, strict=True):
        plane[...] = colour.samples(black, name, picture.format, "bt709")


@dataclass(frozen=True, slots=True)
class _Painter:
    """Makes what a style puts over a face, for pictures of one format and orientation."""

    format: PixelFormat
    orientation: Orientation
    style: Style
    matrix: str

    def filling(self, there: Plane, plane: int, box: Box) -> Plane:
        """Samples for a part of a plane, of the same shape or of one that broadcasts to it."""
        style, face = self.style, self._face_length(box, plane)
        match style.method:
            case "gaussian":
                return blur.blurred(there, face, style, self.format.bit_depth)
            case "pixelate":
                return blur.pixelated(there, face, style, self.format.bit_depth)
            case "image":
                return overlay.stretched(
                    _image_plane(style, plane, self.format, self.orientation, self.matrix), there.shape
                )
            case "solid":
                return self._samples(style.colour, plane)
            case "pattern":
                where = overlay.pattern(style.pattern, there.shape, (face[0] * style.tile, face[1] * style.tile))
                return np.where(where, self._samples(style.second_colour, plane), self._samples(style.colour, plane))

    def _samples(self, name: str, plane: int) -> Plane:
        values = colour.samples(colour.parse(name), self.format.planes[plane], self.format, self.matrix)
        return values.astype(self.format.dtype)

    def _face_length(self, box: Box, plane: int) -> tuple[float, float]:
        """The longer side of a face in samples of a plane, along rows and along columns."""
        longest, (right, down) = max(box.width, box.height), self.format.shift(plane)
        aspect = self.orientation.unrotated.width / self.orientation.coded.width
        return longest / (1 << down), longest / aspect / (1 << right)


@lru_cache(maxsize=16)
def _image_plane(style: Style, plane: int, pixel_format: PixelFormat, orientation: Orientation, matrix: str) -> Plane:
    """One plane of the style's image; kept, as reading and converting it for every face would cost too much."""
    background = colour.parse(style.colour)
    image = overlay.load_image(str(style.image), str(style.image_sha256), background, orientation)
    values = colour.samples(image.astype(np.int64), pixel_format.planes[plane], pixel_format, matrix)
    return values.astype(pixel_format.dtype)


def _lay(there: Plane, filling: Plane, alpha: Alpha) -> None:
    """Put a filling over samples as far as they are covered: wholly at 255, not at all at 0, rounded between."""
    if not ((alpha - np.uint8(1)) < np.uint8(254)).any():
        np.copyto(there, filling, where=alpha == 255)
        return
    wide = np.uint16 if there.dtype == np.uint8 else np.uint32  # holds 255 times a sample and a little more
    mixed = np.multiply(there, np.uint8(255) - alpha, dtype=wide)
    mixed += np.multiply(filling, alpha, dtype=wide)
    mixed += wide(127)
    np.copyto(there, np.floor_divide(mixed, wide(255), out=mixed), casting="unsafe")
