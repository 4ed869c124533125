"""The built-in patterns that can cover a face, one row each.

To add a pattern, write a function like `_draw_checker` and add a row to `PATTERNS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_STEPS_PER_TILE = 4096
"""Positions within a tile. Integers, so that a tile need not be a whole number of samples and rounds the same on every
processor."""
_GRID_LINE_DIVISOR = 4
"""A line of the grid is this part of a tile."""

DrawPattern = Callable[[tuple[int, int], tuple[int, int]], NDArray[np.bool_]]
"""Takes the shape (rows, columns) and the steps of a tile per row and per column."""


class MaskPattern(NamedTuple):
    """A row of the table of patterns.

    Attributes:
        label: name on pages.
        draw: marks the samples that have the second colour.
    """

    label: str
    draw: DrawPattern


def _draw_stripes(shape: tuple[int, int], steps: tuple[int, int]) -> NDArray[np.bool_]:
    down, across = steps
    # Every row is the same line, moved on by `down`; windows of one line save computing each sample.
    line = np.arange(shape[0] * down + shape[1] * across) % _STEPS_PER_TILE >= _STEPS_PER_TILE // 2
    slanted: NDArray[np.bool_] = sliding_window_view(line, shape[1] * across)[: shape[0] * down : down, ::across]
    return slanted


def _draw_checker(shape: tuple[int, int], steps: tuple[int, int]) -> NDArray[np.bool_]:
    rows, columns = _count_tile_steps(shape, steps)
    checked: NDArray[np.bool_] = (rows >= _STEPS_PER_TILE // 2) != (columns >= _STEPS_PER_TILE // 2)
    return checked


def _draw_grid(shape: tuple[int, int], steps: tuple[int, int]) -> NDArray[np.bool_]:
    rows, columns = _count_tile_steps(shape, steps)
    lines: NDArray[np.bool_] = (rows < _STEPS_PER_TILE // _GRID_LINE_DIVISOR) | (
        columns < _STEPS_PER_TILE // _GRID_LINE_DIVISOR
    )
    return lines


def _count_tile_steps(
    shape: tuple[int, int], steps: tuple[int, int]
) -> tuple[NDArray[np.signedinteger], NDArray[np.signedinteger]]:
    """Return the position within its tile of every row, shape (rows, 1), and of every column, shape (columns,)."""
    rows = np.arange(shape[0])[:, None] * steps[0] % _STEPS_PER_TILE
    return rows, np.arange(shape[1]) * steps[1] % _STEPS_PER_TILE


PATTERNS: Mapping[str, MaskPattern] = {
    "stripes": MaskPattern("Stripes", _draw_stripes),
    "checker": MaskPattern("Checker", _draw_checker),
    "grid": MaskPattern("Grid", _draw_grid),
}
"""Every pattern by the name it has in a style."""


def draw_pattern(name: str, shape: tuple[int, int], tile: tuple[float, float]) -> NDArray[np.bool_]:
    """Mark the samples that have the second colour of a pattern.

    Args:
        name: one of `PATTERNS`.
        shape: rows and columns of the part of a plane.
        tile: rows and columns of a tile, in samples.
    """
    down, across = (max(1, round(_STEPS_PER_TILE / length)) for length in tile)
    return PATTERNS[name].draw(shape, (down, across))
