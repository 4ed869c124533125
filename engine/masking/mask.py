"""Computes which samples of a plane a mask covers, and how much.

A mask is a shape around the face box, `scale` times its size. Each sample it touches is covered fully (255); a soft
edge only adds samples outside.

Masks are kept by rows and columns instead of as pictures: the distance of a sample from the middle is the sum of one
integer for its row and one for its column. This costs one addition per sample, only where the edge is, and gives the
same result on every processor. A picture is masked in strips of rows, since most of a strip is entirely inside or
outside the mask, which two searches in the vector of columns tell.
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
"""Cover of each sample, shape (rows, columns): 255 is full cover, 0 is none."""

_MAX_RIM_STEPS = 8000
"""Largest number of steps from the middle of a shape to its outer rim. A soft edge narrower than 255 of them becomes a
hard edge."""
_OUTSIDE_STEPS = 16000
"""Steps of a row or column outside the shape. The sum of two still fits into 16 bits."""
_OPAQUE = 255
_MAX_STRIP_SAMPLES = 60_000
"""Largest strip, so that its intermediate arrays stay in the processor's cache."""
_MIN_STRIP_ROWS = 16
"""Smallest number of rows of a strip; smaller strips cost more calls than they save samples."""


class PatchPart(NamedTuple):
    """A part of a patch.

    Attributes:
        area: its rows and columns in the patch.
        alpha: its cover; None where every sample is covered fully.
    """

    area: tuple[slice, slice]
    alpha: Alpha | None


class MaskPatch(NamedTuple):
    """The part of a plane that one mask touches.

    Attributes:
        top: first row of the patch in the plane.
        left: first column of the patch in the plane.
        down: steps of each row, int16. The distance of a sample from the middle is the sum of the steps of its row and
            of its column.
        across: steps of each column, int16.
        core: number of steps up to which a sample is covered fully.
        soft: True if the cover falls by one per step beyond the core, False if it falls to 0 at once.
    """

    top: int
    left: int
    down: NDArray[np.int16]
    across: NDArray[np.int16]
    core: int
    soft: bool

    @property
    def area(self) -> tuple[slice, slice]:
        """The rows and columns of the patch, as an index into the plane."""
        return slice(self.top, self.top + len(self.down)), slice(self.left, self.left + len(self.across))

    @property
    def alpha(self) -> Alpha:
        """The cover of every sample of the patch."""
        return self._compute_alpha(slice(None), slice(None))

    def split_parts(self) -> Iterator[PatchPart]:
        """Yield the parts that are covered, in strips of rows from the top; samples in no part are not covered."""
        tops = np.arange(0, len(self.down), max(_MIN_STRIP_ROWS, _MAX_STRIP_SAMPLES // len(self.across)))
        ends = np.append(tops[1:], len(self.down)).tolist()
        # The range of columns that is covered at all follows from the row of a strip nearest to the middle, the range
        # that is covered fully from the farthest one. Only the columns between the two need a computed cover.
        farthest = self.core + (_OPAQUE - 1 if self.soft else 0)
        lefts, rights = _find_ranges(self.across, farthest - np.minimum.reduceat(self.down, tops))
        starts, stops = _find_ranges(self.across, self.core - np.maximum.reduceat(self.down, tops))
        for top, end, left, start, stop, right in zip(tops.tolist(), ends, lefts, starts, stops, rights, strict=True):
            rows = slice(top, end)
            if start == stop:
                start = stop = right  # noqa: PLW2901  no sample of the strip is certain to be covered fully
            else:
                yield PatchPart((rows, slice(start, stop)), None)
            # What is left are the columns at both sides, where the edge of the mask crosses the strip.
            for columns in (slice(left, start), slice(stop, right)):
                if columns.start < columns.stop:
                    yield PatchPart((rows, columns), self._compute_alpha(rows, columns))

    def pool_chroma(self, shift_x: int, shift_y: int) -> MaskPatch:
        """Return the patch of a subsampled plane, each sample covered as much as the most covered luma sample under it.

        The mean would leave a chroma sample at the edge of the mask partly visible that colours fully covered luma.
        """
        down, across = (
            self.down.reshape(-1, 1 << shift_y).min(axis=1),
            self.across.reshape(-1, 1 << shift_x).min(axis=1),
        )
        return self._replace(top=self.top >> shift_y, left=self.left >> shift_x, down=down, across=across)

    def crop_to_plane(self, size: Size) -> MaskPatch:
        """Return the patch without the rows and columns beyond a plane."""
        down, across = self.down[: size.height - self.top], self.across[: size.width - self.left]
        return self._replace(down=down, across=across)

    def _compute_alpha(self, rows: slice, columns: slice) -> Alpha:
        """Return the cover of the samples in these rows and columns."""
        total = np.add.outer(self.down[rows], self.across[columns])
        # The arithmetic stays in 16 bits and in place: this runs for every sample at the edge of every face.
        if not self.soft:
            return (total <= self.core).astype(np.uint8) * np.uint8(_OPAQUE)
        np.subtract(np.int16(_OPAQUE + self.core), total, out=total)
        np.maximum(total, np.int16(0), out=total)
        return np.minimum(total, np.int16(_OPAQUE), out=total).astype(np.uint8)


def _find_ranges(steps: NDArray[np.int16], limits: NDArray[np.int16]) -> tuple[list[int], list[int]]:
    """Return for each limit the start and the stop of the range of positions whose steps are at most the limit.

    Steps fall towards the middle of the shape and rise again after it, so these positions are one range. An empty range
    has equal start and stop.
    """
    near = steps <= limits[:, None]
    first, last = near.argmax(axis=1), len(steps) - near[:, ::-1].argmax(axis=1)
    return first.tolist(), np.where(near.any(axis=1), last, first).tolist()


def compute_patches(
    box: Box, orientation: Orientation, style: Style, pixel_format: PixelFormat
) -> tuple[MaskPatch, ...] | None:
    """Return the patch of each plane that the mask of a face touches, or None if the mask is outside the picture.

    Args:
        box: the face in display pixels.
        orientation: how coded samples become display pixels.
        style: style, of which shape, scale and soft edge are used.
        pixel_format: pixel format of the planes.
    """
    shift_x, shift_y = pixel_format.chroma_shift
    patch = _compute_luma_patch(box, orientation, style, (shift_x, shift_y))
    if patch is None:
        return None
    luma, chroma = patch.crop_to_plane(orientation.coded), patch.pool_chroma(shift_x, shift_y)
    return tuple(chroma if plane in "uv" else luma for plane in pixel_format.planes)


def compute_mask(
    boxes: Iterable[Box], orientation: Orientation, style: Style, pixel_format: PixelFormat
) -> tuple[Alpha, ...]:
    """Return the cover of every sample of every plane: the greatest that any face gives it.

    A sample with cover 0 keeps its value exactly; one with 255 holds nothing of the original.
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
    """Return a patch of luma aligned to the chroma grid; its rows and columns beyond the picture are not covered."""
    coded = orientation.to_coded(box)
    reach = coded.scale(style.scale * (1 + style.feather)).clip(orientation.coded)
    if reach is None:
        return None
    left, top, right, bottom = reach.to_pixel_bounds()
    # Whole chroma samples, so that `pool_chroma` can group rows and columns without looking beyond the patch.
    left, top = left >> shift[0] << shift[0], top >> shift[1] << shift[1]
    width, height = _align_up(right - left, shift[0]), _align_up(bottom - top, shift[1])
    mask = coded.scale(style.scale)
    # With pixels that are not square, a round corner has to be as wide as high on the screen, not in samples.
    aspect = orientation.unrotated_size.width / orientation.coded.width
    across = _measure_distance(left, width, (mask.left, mask.right))
    down = _measure_distance(top, height, (mask.top, mask.bottom))
    extent = MaskExtent((mask.width * aspect, mask.height), across, down)
    steps, core, soft = _build_ramp(SHAPES[style.shape].measure(style, extent))
    # Rows and columns that were added to fill a chroma sample are beyond the picture. Covered, they would make the
    # chroma sample count as more covered than any luma sample that exists.
    steps[0][orientation.coded.height - top :] = _OUTSIDE_STEPS
    steps[1][orientation.coded.width - left :] = _OUTSIDE_STEPS
    return MaskPatch(top, left, *steps, core, soft)


def _align_up(length: int, shift: int) -> int:
    return -(-length >> shift) << shift


def _measure_distance(start: int, count: int, ends: tuple[float, float]) -> Distances:
    """Return the distance of each sample from the middle between two ends, in halves of their distance.

    It is that of the nearest point of the sample, so that a sample the mask only touches counts as inside.
    """
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
