"""Faces hidden in the planes of a decoded picture, in place."""

from __future__ import annotations

from collections.abc import Sequence

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
    chosen = colour.matrix_for(matrix, orientation.coded)
    for box in sorted(set(boxes), key=lambda box: (box.left, box.top, box.right, box.bottom)):
        patches = patches_of(box, orientation, style, picture.format)
        for index, patch in enumerate(patches or ()):
            there = picture.planes[index][patch.area]
            _lay(there, _filling(there, index, box, picture.format, orientation, style, chosen), patch.alpha)


def cover(picture: Picture) -> None:
    """Turn a picture black, in place; nothing of the original stays."""
    black = np.zeros(3, dtype=np.int64)
    for plane, name in zip(picture.planes, picture.format.planes, strict=True):
        plane[...] = colour.samples(black, name, picture.format, "bt709")


def _filling(
    there: Plane,
    plane: int,
    box: Box,
    pixel_format: PixelFormat,
    orientation: Orientation,
    style: Style,
    matrix: str,
) -> Plane:
    """What a style puts over a part of a plane: samples of the same shape, or of a shape that broadcasts to it."""
    face = _face_length(box, orientation, pixel_format.shift(plane))
    if style.method == "gaussian":
        return blur.blurred(there, face, style, pixel_format.bit_depth)
    if style.method == "pixelate":
        return blur.pixelated(there, face, style, pixel_format.bit_depth)
    rgb = colour.parse(style.colour)
    if style.method == "image":
        image = overlay.load_image(str(style.image), str(style.image_sha256), tuple(rgb.tolist()), orientation)
        rgb = overlay.stretched(image, there.shape).astype(np.int64)
    filling = colour.samples(rgb, pixel_format.planes[plane], pixel_format, matrix).astype(there.dtype)
    if style.method == "pattern":
        other = colour.samples(colour.parse(style.second_colour), pixel_format.planes[plane], pixel_format, matrix)
        where = overlay.pattern(style.pattern, there.shape, (face[0] * style.tile, face[1] * style.tile))
        filling = np.where(where, other.astype(there.dtype), filling)
    return filling


def _face_length(box: Box, orientation: Orientation, shift: tuple[int, int]) -> tuple[float, float]:
    """The longer side of a face in samples of a plane, along rows and along columns."""
    longest = max(box.width, box.height)
    aspect = orientation.unrotated.width / orientation.coded.width
    return longest / (1 << shift[1]), longest / aspect / (1 << shift[0])


def _lay(there: Plane, filling: Plane, alpha: Alpha) -> None:
    """Put a filling where cover is full, and mix it in where it is partial."""
    edge = (alpha - np.uint8(1)) < np.uint8(254)
    if edge.any():
        filling = np.broadcast_to(filling, there.shape)
        part = alpha[edge].astype(np.int32)
        mixed = there[edge] * (255 - part) + filling[edge] * part + 127
        there[edge] = (mixed // 255).astype(there.dtype)
    np.copyto(there, filling, where=alpha == 255)
