"""Faces made coarse: means over a grid of cells, shown as blocks or blurred and interpolated.

Everything is integer arithmetic or an exact OpenCV function, so that the result is the same on every processor.
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
"""Standard deviations beyond this many cells need no cells so fine."""
_WEIGHT_BITS = 16
"""Bits of a weight's fraction."""

_MAX_SUMMED_SAMPLES = (2**31 - 1) // 255
"""Samples of 8 bits whose sum fits into 32."""

Cells = NDArray[np.int64]


class Scratch:
    """Memory that serves one face after another: fresh memory for each would cost more than what is done in it."""

    def __init__(self) -> None:
        self._buffers: dict[str, NDArray[np.uint8]] = {}

    def get_array(self, use: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An array with anything in it, which serves until the next for the same use is asked for."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if use not in self._buffers or self._buffers[use].size < size:
            self._buffers[use] = np.empty(size, np.uint8)
        return self._buffers[use][:size].view(dtype).reshape(shape)


def pixelate_samples(
    samples: Plane, face: tuple[float, float], style: Style, bit_depth: int, scratch: Scratch
) -> Plane:
    """Square blocks, each the quantised mean of what was there.

    Args:
        samples: the part of a plane.
        face: the longer side of the face, in samples along rows (vertical) and columns (horizontal).
        style: blocks and levels.
        bit_depth: significant bits of a sample.
        scratch: memory for the sums.
    """
    starts = [_split_evenly(side, length / style.blocks) for side, length in zip(samples.shape, face, strict=True)]
    cells: NDArray[Any] = _quantise(_average_cells(samples, starts, scratch), style.levels, bit_depth).astype(
        samples.dtype
    )
    for axis, (side, begin) in enumerate(zip(samples.shape, starts, strict=True)):
        cells = np.repeat(cells, np.diff(begin, append=side), axis=axis)
    return cells


def blur_samples(samples: Plane, face: tuple[float, float], style: Style, bit_depth: int, scratch: Scratch) -> Plane:
    """A Gaussian blur of few quantised samples.

    The samples are means over cells, the kernel is binomial (the discrete Gaussian with integer weights), what is left
    is quantised and then interpolated. Less information remains than the blur alone would keep, so that knowing the
    kernel does not bring the face back.

    Args:
        samples: the part of a plane.
        face: the longer side of the face, in samples along rows (vertical) and columns (horizontal).
        style: sigma, samples and levels.
        bit_depth: significant bits of a sample.
        scratch: memory for the sums and for what is returned.
    """
    count = min(style.samples, math.ceil(_MAX_SIGMA_CELLS / style.sigma))
    starts = [_split_evenly(side, length / count) for side, length in zip(samples.shape, face, strict=True)]
    down, across = (
        _build_blur_matrix(len(begin), _compute_half_order(style.sigma * length * len(begin) / side))
        for side, length, begin in zip(samples.shape, face, starts, strict=True)
    )
    mixed = (down @ _average_cells(samples, starts, scratch) @ across.T + (1 << (2 * _WEIGHT_BITS - 1))) >> (
        2 * _WEIGHT_BITS
    )
    cells = _quantise(mixed, style.levels, bit_depth).astype(samples.dtype)
    sheet = scratch.get_array("drawn", samples.shape, samples.dtype)
    smooth: Plane = cv2.resize(cells, samples.shape[::-1], dst=sheet, interpolation=cv2.INTER_LINEAR_EXACT)
    return smooth


def _split_evenly(side: int, cell: float) -> NDArray[np.int64]:
    """Where cells of at least `cell` samples begin that share a side evenly; one cell when it is shorter."""
    count = min(side, max(1, math.floor(side / cell)))
    return np.arange(count) * side // count


def _average_cells(samples: Plane, starts: list[NDArray[np.int64]], scratch: Scratch) -> Cells:
    rows, columns = (np.append(begin, side) for begin, side in zip(starts, samples.shape, strict=True))
    # Every sum is a whole number that the type holds to the last digit.
    depth, dtype = (cv2.CV_32S, np.int32) if _fits_in_32_bits(samples) else (cv2.CV_64F, np.float64)
    sheet = scratch.get_array("sums", (samples.shape[0] + 1, samples.shape[1] + 1), dtype)
    integral = cv2.integral(samples, sum=sheet, sdepth=depth)
    sums = np.diff(np.diff(integral[np.ix_(rows, columns)].astype(np.int64), axis=0), axis=1)
    counts = np.outer(np.diff(rows), np.diff(columns))
    means: Cells = (2 * sums + counts) // (2 * counts)
    return means


def _fits_in_32_bits(samples: Plane) -> bool:
    """Whether the sum of all samples fits into 32 bits."""
    return samples.dtype == np.uint8 and samples.size <= _MAX_SUMMED_SAMPLES


def _quantise(values: Cells, levels: int, bit_depth: int) -> Cells:
    """The nearest of `levels` evenly spaced values; neutral chroma stays neutral."""
    steps = (values * levels + (1 << (bit_depth - 1))) >> bit_depth
    quantised: Cells = np.minimum((steps << bit_depth) // levels, (1 << bit_depth) - 1)
    return quantised


def _compute_half_order(sigma: float) -> int:
    """Half the order of the binomial kernel whose standard deviation, in cells, is at least `sigma`."""
    return min(2 * (_MAX_SIGMA_CELLS + 1) ** 2, max(1, math.ceil(2 * sigma * sigma)))


@lru_cache(maxsize=4096)
def _build_blur_matrix(count: int, half: int) -> Cells:
    """The blur of `count` cells as a matrix whose rows sum to 1 << _ONE; beyond the ends the last cell repeats."""
    whole = 1 << (2 * half)
    weights = [(math.comb(2 * half, step) << _WEIGHT_BITS) // whole for step in range(2 * half + 1)]
    weights[half] += (1 << _WEIGHT_BITS) - sum(weights)
    matrix = np.zeros((count, count), dtype=np.int64)
    for row in range(count):
        np.add.at(matrix[row], np.clip(np.arange(row - half, row + half + 1), 0, count - 1), weights)
    return matrix
