"""Reduces a face to the means of a grid of cells, shown as blocks or blurred and interpolated.

A blur alone can be undone in part by an attacker who knows its kernel, and this one is public. So `blur_samples`
removes information in three steps: it keeps few samples, blurs them, and rounds the result to few levels. No inverse
filter restores what the first and the last step remove. docs/measurements/reidentification.md has the measurements
behind the limits of a style.

The same input has to give the same bytes on every processor. So everything is integer arithmetic, or an OpenCV function
that was found to give equal bytes with any set of processor features. Floating-point sums differ with the width of the
vector unit, and so does OpenCV's 16-bit INTER_LINEAR.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from engine.core.picture import Plane
from engine.masking.style import Style

_MAX_SIGMA_CELLS = 8
"""Largest standard deviation in cells. A wider blur gets larger cells instead: the result looks the same and the kernel
stays small."""
_WEIGHT_BITS = 16
"""Bits of the fraction of a kernel weight."""

_MAX_SUMMED_SAMPLES = (2**31 - 1) // 255
"""Number of 8-bit samples whose sum fits into a signed integer of 32 bits."""

Cells = NDArray[np.int64]
"""One value for each cell of the grid, shape (rows, columns)."""


class Scratch:
    """Working memory that is reused from one face to the next.

    Fresh memory for each face would cost more time than the work that is done in it, since the operating system clears
    every page it hands out.
    """

    def __init__(self) -> None:
        self._buffers: dict[str, NDArray[np.uint8]] = {}

    def get_array(self, use: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array with undefined contents, valid until the next call for the same use."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if use not in self._buffers or self._buffers[use].size < size:
            self._buffers[use] = np.empty(size, np.uint8)
        return self._buffers[use][:size].view(dtype).reshape(shape)


def pixelate_samples(
    samples: Plane, face: tuple[float, float], style: Style, bit_depth: int, scratch: Scratch
) -> Plane:
    """Return square blocks, each the quantised mean of the samples it replaces.

    Args:
        samples: part of a plane.
        face: longer side of the face, in samples along rows (vertical) and columns (horizontal).
        style: style, of which `blocks` and `levels` are used.
        bit_depth: significant bits of a sample.
        scratch: memory for the sums.
    """
    starts = [_split_evenly(side, length / style.blocks) for side, length in zip(samples.shape, face, strict=True)]
    cells: NDArray[Any] = quantise(average_cells(samples, starts, scratch), style.levels, bit_depth).astype(
        samples.dtype
    )
    for axis, (side, begin) in enumerate(zip(samples.shape, starts, strict=True)):
        cells = np.repeat(cells, np.diff(begin, append=side), axis=axis)
    return cells


def blur_samples(  # noqa: PLR0913
    samples: Plane,
    face: tuple[float, float],
    style: Style,
    bit_depth: int,
    scratch: Scratch,
    *,
    dither_place: tuple[int, int] | None = None,
) -> Plane:
    """Return a Gaussian blur of few quantised samples.

    The samples are means over cells, the kernel is binomial (the discrete Gaussian with integer weights), and the
    result is quantised and then interpolated. Less information remains than the blur alone would keep, so that knowing
    the kernel does not bring the face back.

    Args:
        samples: part of a plane.
        face: longer side of the face, in samples along rows (vertical) and columns (horizontal).
        style: style, of which `sigma`, `samples` and `levels` are used.
        bit_depth: significant bits of a sample.
        scratch: memory for the sums and for the returned samples.
        dither_place: first row and column of the samples in the plane, to dither the result; None: it is not.
    """
    # Step 1, fewer samples: the detail within a cell is gone, whatever is known of the kernel.
    count = min(style.samples, math.ceil(_MAX_SIGMA_CELLS / style.sigma))
    starts = [_split_evenly(side, length / count) for side, length in zip(samples.shape, face, strict=True)]
    # Step 2, blur: the cells alone would still show where eyes and mouth are, as a mosaic does. The blur is separable,
    # one matrix for the rows and one for the columns.
    down, across = (
        _build_blur_matrix(len(begin), _compute_half_order(style.sigma * length * len(begin) / side))
        for side, length, begin in zip(samples.shape, face, starts, strict=True)
    )
    mixed = (down @ average_cells(samples, starts, scratch) @ across.T + (1 << (2 * _WEIGHT_BITS - 1))) >> (
        2 * _WEIGHT_BITS
    )
    # Step 3, quantisation: deconvolution multiplies small differences, which rounding to few levels removes.
    cells = quantise(mixed, style.levels, bit_depth)
    if dither_place is not None:
        return _interpolate_dithered(cells, samples, bit_depth, scratch, dither_place)
    # Interpolation only makes the result pleasant to look at; INTER_LINEAR_EXACT gives the same on every processor.
    buffer = scratch.get_array("blurred", samples.shape, samples.dtype)
    smooth: Plane = cv2.resize(
        cells.astype(samples.dtype), samples.shape[::-1], dst=buffer, interpolation=cv2.INTER_LINEAR_EXACT
    )
    return smooth


def _interpolate_dithered(
    cells: Cells, samples: Plane, bit_depth: int, scratch: Scratch, place: tuple[int, int]
) -> Plane:
    """Interpolate cells to the shape of the samples, with fractions shown by a pattern of neighbouring steps.

    The steps of 8 bits show as bands on a large face. The pattern is fixed to the picture, so it stands still when the
    mask moves.
    """
    spare_bits = 16 - bit_depth
    buffer = scratch.get_array("dithered", samples.shape, np.uint16)
    fine = cv2.resize(
        (cells << spare_bits).astype(np.uint16), samples.shape[::-1], dst=buffer, interpolation=cv2.INTER_LINEAR_EXACT
    )
    side = len(_BAYER)
    pattern = np.roll(_BAYER, (-place[0] % side, -place[1] % side), axis=(0, 1))
    # One row of the pattern for the whole width, repeated for every eighth row.
    thresholds = np.tile(pattern, -(-samples.shape[1] // side))[:, : samples.shape[1]]
    thresholds = (thresholds.astype(np.uint16) << spare_bits) // (side * side)
    for row in range(min(side, samples.shape[0])):
        rows = fine[row::side]
        # What is above the highest value would wrap around to black.
        rows[...] = np.minimum(rows, np.uint16(0xFFFF) - thresholds[row]) + thresholds[row]
    fine >>= spare_bits
    result: Plane = scratch.get_array("blurred", samples.shape, samples.dtype)
    np.copyto(result, fine, casting="unsafe")
    return result


def _build_bayer(order: int) -> NDArray[np.int64]:
    """Return a pattern of thresholds of which neighbours differ most (Bayer 1973), shape (2**order, 2**order)."""
    pattern = np.zeros((1, 1), np.int64)
    for _ in range(order):
        pattern = np.block([[4 * pattern, 4 * pattern + 2], [4 * pattern + 3, 4 * pattern + 1]])
    return pattern


_BAYER = _build_bayer(3)


def _split_evenly(side: int, cell: float) -> NDArray[np.int64]:
    """Return the first sample of each cell when a side is split evenly into cells of at least `cell` samples.

    At least, not about: rounding to more cells than the style says would keep more of the face.
    """
    count = min(side, max(1, math.floor(side / cell)))
    return np.arange(count) * side // count


def average_cells(samples: Plane, starts: list[NDArray[np.int64]], scratch: Scratch) -> Cells:
    """Return the mean of each cell, rounded to the nearest integer.

    Taken from the integral image, whose cost does not depend on the number of cells.
    """
    rows, columns = (np.append(begin, side) for begin, side in zip(starts, samples.shape, strict=True))
    # 32-bit integers are the fastest. Where they would overflow, doubles are used: they hold integers up to 2**53
    # exactly, so the sums do not depend on the order of the additions either.
    depth, dtype = (cv2.CV_32S, np.int32) if _fits_in_32_bits(samples) else (cv2.CV_64F, np.float64)
    buffer = scratch.get_array("sums", (samples.shape[0] + 1, samples.shape[1] + 1), dtype)
    integral = cv2.integral(samples, sum=buffer, sdepth=depth)
    sums = np.diff(np.diff(integral[np.ix_(rows, columns)].astype(np.int64), axis=0), axis=1)
    counts = np.outer(np.diff(rows), np.diff(columns))
    means: Cells = (2 * sums + counts) // (2 * counts)
    return means


def _fits_in_32_bits(samples: Plane) -> bool:
    """Return True if the sum of all samples fits into 32 bits."""
    return samples.dtype == np.uint8 and samples.size <= _MAX_SUMMED_SAMPLES


def quantise(values: Cells, levels: int, bit_depth: int) -> Cells:
    """Round values to the nearest of `levels` evenly spaced ones.

    The spacing starts at 0 and divides the full scale, so that half of it, the neutral value of chroma, is one of the
    levels when their number is even: a grey face does not get a tint.
    """
    steps = (values * levels + (1 << (bit_depth - 1))) >> bit_depth
    quantised: Cells = np.minimum((steps << bit_depth) // levels, (1 << bit_depth) - 1)
    return quantised


def _compute_half_order(sigma: float) -> int:
    """Return half the order of the binomial kernel whose standard deviation, in cells, is at least `sigma`.

    A binomial kernel of order n has the variance n / 4. It is rounded up, towards more blur.
    """
    return min(2 * (_MAX_SIGMA_CELLS + 1) ** 2, max(1, math.ceil(2 * sigma * sigma)))


@lru_cache(maxsize=4096)
def _build_blur_matrix(count: int, half: int) -> Cells:
    """Return the blur of `count` cells as a matrix whose rows sum to 1 << _WEIGHT_BITS.

    Beyond the ends the last cell is repeated. Cached, because faces of one video need few sizes and Python's exact
    binomials are slow.
    """
    whole = 1 << (2 * half)
    weights = [(math.comb(2 * half, step) << _WEIGHT_BITS) // whole for step in range(2 * half + 1)]
    # Each weight was rounded down. The middle one takes the rest, so that a flat area keeps its value.
    weights[half] += (1 << _WEIGHT_BITS) - sum(weights)
    matrix = np.zeros((count, count), dtype=np.int64)
    for row in range(count):
        np.add.at(matrix[row], np.clip(np.arange(row - half, row + half + 1), 0, count - 1), weights)
    return matrix
