"""A mosaic whose blocks keep their place in the picture, so that it does not flicker when a mask trembles.

Blocks that move with the mask average other samples in each frame, even if nothing in the picture moves. Here they lie
on a grid that is fixed to the picture, and each is the mean of all its samples, also those beyond the mask.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.picture import Plane
from engine.masking.blur import Scratch, average_cells, quantise

_STEPS_PER_DOUBLING = 2
_MULTIPLE_PX = 4
"""Sides of blocks are multiples of this, so that they are whole samples of every chroma plane."""


def choose_block(least_px: float) -> int:
    """Return the side of blocks in luma samples: at least `least_px`, on a ladder of few steps.

    A side that followed the size of the face would move every block whenever the box trembles.
    """
    step = math.ceil(_STEPS_PER_DOUBLING * math.log2(max(1.0, least_px / _MULTIPLE_PX)) - 1e-9)
    return math.ceil(2 ** (step / _STEPS_PER_DOUBLING) - 1e-9) * _MULTIPLE_PX


def fill_blocks(plane: Plane, area: tuple[slice, slice], block: tuple[int, int], levels: int, bit_depth: int) -> Plane:
    """Return blocks, each the quantised mean of the samples of the plane that it covers.

    Args:
        plane: the whole plane, with what is under the mask.
        area: rows and columns of the mask in it; the result has their shape.
        block: rows and columns of a block, in samples of the plane.
        levels: values that a mean can take.
        bit_depth: significant bits of a sample.
    """
    grown, starts = [], []
    for masked, side, size in zip(area, block, plane.shape, strict=True):
        start, stop = masked.start // side * side, min(size, -(-masked.stop // side) * side)
        grown.append(slice(start, stop))
        starts.append(np.arange(start, stop, side) - start)
    samples: Plane = plane[grown[0], grown[1]]
    means = average_cells(samples, starts, Scratch())
    cells: NDArray[Any] = quantise(means, levels, bit_depth).astype(plane.dtype)
    for axis, (masked, whole, begin) in enumerate(zip(area, grown, starts, strict=True)):
        repeated = np.repeat(cells, np.diff(begin, append=whole.stop - whole.start), axis=axis)
        kept = range(masked.start - whole.start, min(masked.stop, whole.stop) - whole.start)
        cells = np.take(repeated, kept, axis=axis)
    blocks: Plane = cells
    return blocks
