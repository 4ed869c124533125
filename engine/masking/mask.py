"""Which samples of a plane a face's mask covers, and how much.

A mask is a shape about the face box, `scale` times its size. Each sample it touches is covered fully (255); a soft edge
only ever adds samples outside. All shapes are sums of one number a row and one a column, kept as integers, so that a
mask costs one addition a sample and comes out the same on every processor. Whoever lays a mask over a picture asks for
it strip by strip: most of a strip lies wholly inside or outside, and costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Orientation, Size
from engine.core.picture import PixelFormat
from engine.masking.shapes import SHAPES, Distances, MaskExtent, ShapeDistances
from engine.masking.style import Style

Alpha = NDArray[np.uint8]
"""Cover of each sample, shape (rows, columns): 255 fully, 0 not at all."""

_MAX_RIM_STEPS = 8000
"""Most steps from the middle of a shape to its outer rim; a soft edge narrower than 255 of them is a hard one."""
_OUTSIDE_STEPS = 16000
"""Two of these still fit into 16 bits."""
_OPAQUE = 255
_MAX_STRIP_SAMPLES = 60_000
"""Of a strip at most, so that what is computed of it stays in the processor's cache and in memory at hand."""
_MIN_STRIP_ROWS = 16
"""Rows of a strip at least; lower ones cost more calls than they save samples."""


class PatchPart(NamedTuple):
    """A part of a patch, by rows and columns of the patch; wholly covered, or as much as `alpha` says."""

    area: tuple[slice, slice]
    alpha: Alpha | None


class MaskPatch(NamedTuple):
    """The part of a plane that one mask touches.

    Attributes:
        top: its first row in the plane.
        left: its first column there.
        down: steps from the middle of the shape for each row, int16.
        across: likewise for each column; a sample is as far from the middle as both add up to.
        core: up to so many steps a sample is covered fully.
        soft: whether the cover falls by one a step beyond the core, or at once.
    """

    top: int
    left: int
    down: NDArray[np.int16]
    across: NDArray[np.int16]
    core: int
    soft: bool

    @property
    def area(self) -> tuple[slice, slice]:
        """The patch as an index into the plane."""
        return slice(self.top, self.top + len(self.down)), slice(self.left, self.left + len(self.across))

    @property
    def alpha(self) -> Alpha:
        """The cover of its samples."""
        return self._compute_alpha(slice(None), slice(None))

    def split_parts(self) -> Iterator[PatchPart]:
        """What is covered, in strips of rows from the top; what none of the parts holds is not covered."""
        tops = np.arange(0, len(self.down), max(_MIN_STRIP_ROWS, _MAX_STRIP_SAMPLES // len(self.across)))
        ends = np.append(tops[1:], len(self.down)).tolist()
        farthest = self.core + (_OPAQUE - 1 if self.soft else 0)
        lefts, rights = _find_reach(self.across, farthest - np.minimum.reduceat(self.down, tops))
        starts, stops = _find_reach(self.across, self.core - np.maximum.reduceat(self.down, tops))
        for top, end, left, start, stop, right in zip(tops.tolist(), ends, lefts, starts, stops, rights, strict=True):
            rows = slice(top, end)
            if start == stop:
                start = stop = right  # noqa: PLW2901  nothing of the strip is wholly covered
            else:
                yield PatchPart((rows, slice(start, stop)), None)
            for columns in (slice(left, start), slice(stop, right)):
                if columns.start < columns.stop:
                    yield PatchPart((rows, columns), self._compute_alpha(rows, columns))

    def pool_chroma(self, shift_x: int, shift_y: int) -> MaskPatch:
        """The patch of a subsampled plane, each of its samples covered as the most covered of those it stands for."""
        down, across = (
            self.down.reshape(-1, 1 << shift_y).min(axis=1),
            self.across.reshape(-1, 1 << shift_x).min(axis=1),
        )
        return self._replace(top=self.top >> shift_y, left=self.left >> shift_x, down=down, across=across)

    def crop_to_plane(self, size: Size) -> MaskPatch:
        """Without what lies beyond the last row and column of a plane."""
        down, across = self.down[: size.height - self.top], self.across[: size.width - self.left]
        return self._replace(down=down, across=across)

    def _compute_alpha(self, rows: slice, columns: slice) -> Alpha:
        total = np.add.outer(self.down[rows], self.across[columns])
        if not self.soft:
            return (total <= self.core).astype(np.uint8) * np.uint8(_OPAQUE)
        np.subtract(np.int16(_OPAQUE + self.core), total, out=total)
        np.maximum(total, np.int16(0), out=total)
        return np.minimum(total, np.int16(_OPAQUE), out=total).astype(np.uint8)


def _find_reach(steps: NDArray[np.int16], most: NDArray[np.int16]) -> tuple[list[int], list[int]]:
    """For each of `most` the first and the last but one of the places so many steps away; steps fall, then rise."""
    near = steps <= most[:, None]
    first, last = near.argmax(axis=1), len(steps) - near[:, ::-1].argmax(axis=1)
    return first.tolist(), np.where(near.any(axis=1), last, first).tolist()


def compute_patches(
    box: Box, orientation: Orientation, style: Style, pixel_format: PixelFormat
) -> tuple[MaskPatch, ...] | None:
    """The patch of each plane that the mask of a face touches, or None when it lies outside the picture.

    A subsampled sample is covered as much as the most covered of the luma samples it stands for.

    Args:
        box: the face in display pixels.
        orientation: how coded samples become display pixels.
        style: shape, scale and soft edge.
        pixel_format: of the planes.
    """
    shift_x, shift_y = pixel_format.chroma_shift
    found = _compute_luma_patch(box, orientation, style, (shift_x, shift_y))
    if found is None:
        return None
    luma, chroma = found.crop_to_plane(orientation.coded), found.pool_chroma(shift_x, shift_y)
    return tuple(chroma if plane in "uv" else luma for plane in pixel_format.planes)


def compute_mask(
    boxes: Iterable[Box], orientation: Orientation, style: Style, pixel_format: PixelFormat
) -> tuple[Alpha, ...]:
    """The cover of every sample of every plane: the greatest that any face gives it.

    A sample of 0 leaves the redaction exactly as it was, one of 255 holds nothing of the original.
    """
    size = orientation.coded
    covers = []
    for plane in range(len(pixel_format.planes)):
        right, down = pixel_format.plane_shift(plane)
        covers.append(np.zeros((-(-size.height >> down), -(-size.width >> right)), dtype=np.uint8))
    for box in boxes:
        for cover, patch in zip(covers, compute_patches(box, orientation, style, pixel_format) or (), strict=False):
            np.maximum(cover[patch.area], patch.alpha, out=cover[patch.area])
    return tuple(covers)


def _compute_luma_patch(box: Box, orientation: Orientation, style: Style, shift: tuple[int, int]) -> MaskPatch | None:
    """A patch aligned to the chroma grid; rows and columns beyond the picture are not covered."""
    coded = orientation.to_coded(box)
    reach = coded.scale(style.scale * (1 + style.feather)).clip(orientation.coded)
    if reach is None:
        return None
    left, top, right, bottom = reach.to_pixel_bounds()
    left, top = left >> shift[0] << shift[0], top >> shift[1] << shift[1]
    width, height = _align_up(right - left, shift[0]), _align_up(bottom - top, shift[1])
    mask = coded.scale(style.scale)
    aspect = orientation.unrotated_size.width / orientation.coded.width
    across = _measure_distance(left, width, (mask.left, mask.right))
    down = _measure_distance(top, height, (mask.top, mask.bottom))
    extent = MaskExtent((mask.width * aspect, mask.height), across, down)
    steps, core, soft = _build_ramp(SHAPES[style.shape].measure(style, extent))
    steps[0][orientation.coded.height - top :] = _OUTSIDE_STEPS
    steps[1][orientation.coded.width - left :] = _OUTSIDE_STEPS
    return MaskPatch(top, left, *steps, core, soft)


def _align_up(length: int, shift: int) -> int:
    return -(-length >> shift) << shift


def _measure_distance(start: int, count: int, ends: tuple[float, float]) -> Distances:
    """How far the nearest point of each sample is from the middle between two ends, in halves of their distance."""
    half = (ends[1] - ends[0]) / 2
    middles = np.arange(start, start + count) + 0.5
    distance: Distances = np.maximum(np.abs(middles - (ends[0] + half)) - 0.5, 0.0) / half
    return distance


def _build_ramp(distances: ShapeDistances) -> tuple[tuple[NDArray[np.int16], NDArray[np.int16]], int, bool]:
    """Turn distances from the rim into steps of the rows and of the columns, the core, and whether the edge is soft.

    The cover is full where the squares of the distances add up to at most `rim` squared, and falls to none where they
    add up to 1.
    """
    core = distances.rim * distances.rim
    # A soft edge of 255 steps, so that one step is one level of cover. An edge so narrow that this many steps would
    # overflow 16 bits in the middle of the mask becomes a hard edge.
    unit = _MAX_RIM_STEPS if 1.0 - core < _OPAQUE / _MAX_RIM_STEPS else _OPAQUE / (1.0 - core)
    column, row = (
        np.minimum(np.floor(distance * distance * unit), _OUTSIDE_STEPS).astype(np.int16)
        for distance in (distances.across, distances.down)
    )
    # The steps are rounded down and the core is rounded up, so rounding only ever widens the mask.
    return (row, column), math.ceil(core * unit), unit != _MAX_RIM_STEPS
