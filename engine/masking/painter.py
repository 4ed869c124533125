"""Faces hidden in the planes of a decoded picture, in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Orientation
from engine.core.picture import Picture, PixelFormat, Plane
from engine.masking import blur, colour, overlay
from engine.masking.mask import Alpha, PatchPart, compute_patches
from engine.masking.style import Style


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
    Painter(picture.format, orientation, style, matrix).paint(picture, boxes)


def cover_picture(picture: Picture) -> None:
    """Turn a picture black, in place; nothing of the original stays."""
    black = np.zeros(3, dtype=np.int64)
    for plane, name in zip(picture.planes, picture.format.planes, strict=True):
        plane[...] = colour.samples_from_rgb(black, name, picture.format, "bt709")


class Painter:
    """Hides faces in one picture after another of one format and orientation, as `redact` does in one.

    It keeps the memory it works in, so it serves one thread.
    """

    def __init__(
        self, pixel_format: PixelFormat, orientation: Orientation, style: Style, matrix: str | None = None
    ) -> None:
        self.format = pixel_format
        self.orientation = orientation
        self.style = style
        self.matrix = colour.choose_matrix(matrix, orientation.coded)
        self._scratch = blur.Scratch()

    def paint(self, picture: Picture, boxes: Sequence[Box]) -> None:
        """Hide faces in place; see `redact`."""
        for box in sorted(set(boxes), key=lambda box: (box.left, box.top, box.right, box.bottom)):
            parts: tuple[PatchPart, ...] = ()
            before = None
            for index, patch in enumerate(compute_patches(box, self.orientation, self.style, self.format) or ()):
                if patch is not before:
                    before, parts = patch, tuple(patch.split_parts())
                there = picture.planes[index][patch.area]
                _blend_parts(there, self._make_filling(there, index, box), parts)

    def _make_filling(self, target: Plane, plane: int, box: Box) -> Plane:
        """Samples for a part of a plane, of the same shape or of one that broadcasts to it."""
        style, face = self.style, self._measure_face(box, plane)
        match style.method:
            case "gaussian":
                return blur.blur_samples(target, face, style, self.format.bit_depth, self._scratch)
            case "pixelate":
                return blur.pixelate_samples(target, face, style, self.format.bit_depth, self._scratch)
            case "image":
                return overlay.stretch_image(
                    _load_image_plane(style, plane, self.format, self.orientation, self.matrix), target.shape
                )
            case "solid":
                return self._convert_colour(style.colour, plane)
            case "pattern":
                where = overlay.draw_pattern(style.pattern, target.shape, (face[0] * style.tile, face[1] * style.tile))
                return np.where(
                    where, self._convert_colour(style.second_colour, plane), self._convert_colour(style.colour, plane)
                )

    def _convert_colour(self, name: str, plane: int) -> Plane:
        values = colour.samples_from_rgb(colour.parse_colour(name), self.format.planes[plane], self.format, self.matrix)
        return values.astype(self.format.dtype)

    def _measure_face(self, box: Box, plane: int) -> tuple[float, float]:
        """The longer side of a face in samples of a plane, along rows and along columns."""
        longest, (right, down) = max(box.width, box.height), self.format.plane_shift(plane)
        aspect = self.orientation.unrotated_size.width / self.orientation.coded.width
        return longest / (1 << down), longest / aspect / (1 << right)


@lru_cache(maxsize=16)
def _load_image_plane(
    style: Style, plane: int, pixel_format: PixelFormat, orientation: Orientation, matrix: str
) -> Plane:
    """One plane of the style's image; kept, as reading and converting it for every face would cost too much."""
    background = colour.parse_colour(style.colour)
    image = overlay.load_image(str(style.image), str(style.image_sha256), background, orientation)
    values = colour.samples_from_rgb(image.astype(np.int64), pixel_format.planes[plane], pixel_format, matrix)
    return values.astype(pixel_format.dtype)


def _blend_parts(target: Plane, filling: Plane, parts: Iterable[PatchPart]) -> None:
    """Put a filling over samples as far as they are covered: wholly at 255, not at all at 0, rounded between."""
    everywhere = np.broadcast_to(filling, target.shape)
    for area, alpha in parts:
        if alpha is None:
            target[area] = everywhere[area]
        else:
            _blend(target[area], everywhere[area], alpha)


def _blend(target: Plane, filling: NDArray[Any], alpha: Alpha) -> None:
    wide = np.uint16 if target.dtype == np.uint8 else np.uint32  # holds 255 times a sample and a little more
    mixed = np.multiply(target, np.uint8(255) - alpha, dtype=wide)
    mixed += np.multiply(filling, alpha, dtype=wide)
    mixed += wide(127)
    np.copyto(target, np.floor_divide(mixed, wide(255), out=mixed), casting="unsafe")
