"""Covers faces in the planes of a decoded picture, in place.

Masks are painted into the planes as the decoder made them (luma and subsampled chroma, or G, B and R, at their own bit
depth), never into an RGB copy: converting to RGB and back would round every sample of the picture, and what is outside
the masks has to reach the encoder exactly as it was decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Orientation
from engine.core.picture import Picture, PixelFormat, Plane
from engine.masking import blur, colour, overlay, steady_mosaic
from engine.masking.mask import Alpha, PatchPart, compute_patches
from engine.masking.patterns import draw_pattern
from engine.masking.style import Style


def redact(
    picture: Picture, boxes: Sequence[Box], orientation: Orientation, style: Style, matrix: str | None = None
) -> None:
    """Cover faces in place; samples outside the masks keep their value.

    The result does not depend on the order of the boxes. Where masks overlap, the later one (by box) is painted over
    the earlier, so that a sample inside any mask holds nothing of the original.

    Args:
        picture: a picture with writable planes of coded samples.
        boxes: faces in display pixels; they may cross the border.
        orientation: how coded samples become display pixels.
        style: how the masks look. It is not checked here; `style.check_style` says if it hides a face.
        matrix: FFmpeg's name of the colour matrix, for styles with colours; None when none is declared.

    Raises:
        StyleError: the image of the style cannot be read or is not the pinned one.
    """
    Painter(picture.format, orientation, style, matrix).paint(picture, boxes)


def cover_picture(picture: Picture) -> None:
    """Turn a picture black, in place; nothing of the original stays."""
    black = np.zeros(3, dtype=np.int64)
    for plane, name in zip(picture.planes, picture.format.planes, strict=True):
        # Black has the same samples in every matrix, so any of them will do.
        plane[...] = colour.samples_from_rgb(black, name, picture.format, "bt709")


class Painter:
    """Covers faces in one picture after another of one format and orientation, as `redact` does in one.

    It reuses its working memory, so one painter serves one thread.
    """

    def __init__(
        self, pixel_format: PixelFormat, orientation: Orientation, style: Style, matrix: str | None = None
    ) -> None:
        self.format = pixel_format
        self.orientation = orientation
        self.style = style
        self.matrix = colour.choose_matrix(matrix, orientation.coded)
        self.scratch = blur.Scratch()

    def paint(self, picture: Picture, boxes: Sequence[Box]) -> None:
        """Cover faces in place; see `redact`."""
        # Where masks overlap, the later one blurs samples that the earlier one has already covered. A fixed order makes
        # the result independent of the order in the record, and a box that is listed twice is painted once.
        for box in sorted(set(boxes), key=lambda box: (box.left, box.top, box.right, box.bottom)):
            parts: tuple[PatchPart, ...] = ()
            previous_patch = None
            for index, patch in enumerate(compute_patches(box, self.orientation, self.style, self.format) or ()):
                # Both chroma planes, or all planes of RGB, share one patch; splitting it again would cost as much as
                # the blending.
                if patch is not previous_patch:
                    previous_patch, parts = patch, tuple(patch.split_parts())
                samples = picture.planes[index][patch.area]
                target = FillTarget(samples, index, self._measure_face(box, index), picture.planes[index], patch.area)
                _blend_parts(samples, FILLINGS[self.style.method](self, target), parts)

    def convert_colour(self, hex_colour: str, plane: int) -> Plane:
        """Return the sample of a plane that has a colour, as an array of no dimensions."""
        rgb = colour.parse_colour(hex_colour)
        return colour.samples_from_rgb(rgb, self.format.planes[plane], self.format, self.matrix).astype(
            self.format.dtype
        )

    def _measure_face(self, box: Box, plane: int) -> tuple[float, float]:
        """Return the longer side of a face in samples of a plane, along rows and along columns.

        The two differ where chroma is subsampled in one direction only, or where pixels are not square. A block of the
        mosaic is square on the screen all the same.
        """
        longest, (right, down) = max(box.width, box.height), self.format.plane_shift(plane)
        aspect = self.orientation.unrotated_size.width / self.orientation.coded.width
        return longest / (1 << down), longest / aspect / (1 << right)


class FillTarget(NamedTuple):
    """The part of a plane that a mask covers.

    Attributes:
        samples: its samples, with what is under the mask.
        plane: index of the plane in the picture.
        face: longer side of the face in samples, along rows and along columns.
        whole: the whole plane.
        area: rows and columns of the samples in it.
    """

    samples: Plane
    plane: int
    face: tuple[float, float]
    whole: Plane
    area: tuple[slice, slice]


def _fill_gaussian(painter: Painter, target: FillTarget) -> Plane:
    place = (target.area[0].start, target.area[1].start) if painter.style.dither else None
    return blur.blur_samples(
        target.samples, target.face, painter.style, painter.format.bit_depth, painter.scratch, dither_place=place
    )


def _fill_pixelate(painter: Painter, target: FillTarget) -> Plane:
    style, bit_depth = painter.style, painter.format.bit_depth
    if not style.steady:
        return blur.pixelate_samples(target.samples, target.face, style, bit_depth, painter.scratch)
    right, down = painter.format.plane_shift(target.plane)
    # The sides of blocks are chosen in luma samples, so that blocks of chroma lie over those of luma.
    rows, columns = (
        steady_mosaic.choose_block(length * (1 << shift) / style.blocks) >> shift
        for length, shift in zip(target.face, (down, right), strict=True)
    )
    return steady_mosaic.fill_blocks(target.whole, target.area, (rows, columns), style.levels, bit_depth)


def _fill_solid(painter: Painter, target: FillTarget) -> Plane:
    return painter.convert_colour(painter.style.colour, target.plane)


def _fill_pattern(painter: Painter, target: FillTarget) -> Plane:
    style, (down, across) = painter.style, target.face
    has_second_colour = draw_pattern(style.pattern, target.samples.shape, (down * style.tile, across * style.tile))
    second, first = (painter.convert_colour(name, target.plane) for name in (style.second_colour, style.colour))
    return np.where(has_second_colour, second, first)


def _fill_image(painter: Painter, target: FillTarget) -> Plane:
    image = _load_image_plane(painter.style, target.plane, painter.format, painter.orientation, painter.matrix)
    return overlay.stretch_image(image, target.samples.shape)


FILLINGS: Mapping[str, Callable[[Painter, FillTarget], Plane]] = {
    "gaussian": _fill_gaussian,
    "pixelate": _fill_pixelate,
    "solid": _fill_solid,
    "pattern": _fill_pattern,
    "image": _fill_image,
}
"""For each of `METHODS` the function that makes the samples of a mask, in the shape of the target or in one that
broadcasts to it."""


@lru_cache(maxsize=16)
def _load_image_plane(
    style: Style, plane: int, pixel_format: PixelFormat, orientation: Orientation, matrix: str
) -> Plane:
    """Load one plane of the style's image; cached, because reading and converting it for every face costs too much."""
    background = colour.parse_colour(style.colour)
    image = overlay.load_image(str(style.image), str(style.image_sha256), background, orientation)
    values = colour.samples_from_rgb(image.astype(np.int64), pixel_format.planes[plane], pixel_format, matrix)
    return values.astype(pixel_format.dtype)


def _blend_parts(target: Plane, filling: Plane, parts: Iterable[PatchPart]) -> None:
    """Put a filling over samples as far as they are covered: wholly at 255, not at all at 0, rounded between."""
    # A flat colour is one sample; broadcasting repeats it without taking memory for the whole patch.
    broadcast = np.broadcast_to(filling, target.shape)
    for area, alpha in parts:
        if alpha is None:
            target[area] = broadcast[area]
        else:
            _blend(target[area], broadcast[area], alpha)


def _blend(target: Plane, filling: NDArray[Any], alpha: Alpha) -> None:
    """Mix a filling into samples in place: (sample * (255 - alpha) + filling * alpha) / 255, rounded to the nearest.

    Integers, so that every processor gives the same result; at 0 the sample and at 255 the filling is left exactly.
    """
    wide = np.uint16 if target.dtype == np.uint8 else np.uint32  # holds 255 times a sample and a little more
    mixed = np.multiply(target, np.uint8(255) - alpha, dtype=wide)
    mixed += np.multiply(filling, alpha, dtype=wide)
    mixed += wide(127)  # half of 255, so that the division rounds to the nearest
    np.copyto(target, np.floor_divide(mixed, wide(255), out=mixed), casting="unsafe")
