"""Keyframes from a box for each frame: as few as give all boxes back within a tolerance (Douglas and Peucker, 1973)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box

_TOLERANCE_SHARE = 0.03
"""Greatest distance, in face sizes, of an edge from where it was found: less than any style's margin."""
_MIN_TOLERANCE_PX = 1.0


def simplify_boxes(boxes: Mapping[int, Box]) -> dict[int, Box]:
    """Return the boxes that have to be kept so that linear interpolation gives all of them back.

    Args:
        boxes: boxes by frame, at least one.

    Returns:
        The kept boxes by rising frame, among them the first and the last. The edges of all others lie within 3 % of the
        face size (at least one pixel) of the lines between these.
    """
    frames = sorted(boxes)
    edges = np.array([[*_edges(boxes[frame])] for frame in frames])
    tolerances = np.array([max(_MIN_TOLERANCE_PX, _TOLERANCE_SHARE * _side(boxes[frame])) for frame in frames])
    times = np.array(frames, dtype=np.float64)
    kept = {0, len(frames) - 1}
    spans = [(0, len(frames) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        excess = _measure_excess(times[first : last + 1], edges[first : last + 1], tolerances[first : last + 1])
        place = int(excess.argmax())
        if excess[place] > 1.0:
            kept.add(first + place)
            spans += [(first, first + place), (first + place, last)]
    return {frames[place]: boxes[frames[place]] for place in sorted(kept)}


def _measure_excess(
    times: NDArray[np.float64], edges: NDArray[np.float64], tolerances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return by how many tolerances each box is off the line between the first and the last."""
    shares = ((times - times[0]) / (times[-1] - times[0]))[:, None]
    line = edges[0] * (1 - shares) + edges[-1] * shares
    return np.asarray(np.abs(edges - line).max(axis=1) / tolerances)


def _edges(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def _side(box: Box) -> float:
    return max(box.width, box.height)
