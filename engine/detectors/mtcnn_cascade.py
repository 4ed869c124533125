"""The geometry of MTCNN's cascade: image pyramid, proposals, crops, regression and suppression, on plain arrays.

Zhang, Zhang, Li, Qiao: Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks, IEEE Signal
Processing Letters 23 (2016). Boxes are float64 arrays of shape (n, 4): left, top, right, bottom in pixels of the picture.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.geometry import Size
from engine.picture import Rgb

CELL = 12
"""Side in pixels of the window that P-Net looks through."""
STRIDE = 2
"""Pixels from one window of P-Net to the next."""
OUTSIDE = (127, 127, 127)
"""What lies beyond the picture's border; zero to the networks, which see (sample - 127.5) / 128."""

Boxes = NDArray[np.float64]
Scores = NDArray[np.float32]


def level_sizes(size: Size, min_face: int, factor: float) -> list[Size]:
    """Sizes of the pyramid's levels, largest first.

    The first level shows a face of `min_face` pixels in one window, each further one is `factor` times as large, and the
    last one is as high or wide as one window, so that a face that fills the picture is seen too. Empty when the
    picture is smaller than `min_face`.
    """
    shortest = min(size.width, size.height)
    first, last = CELL / min_face, CELL / shortest
    if first < last:
        return []
    scales = itertools.takewhile(lambda scale: scale > last, (first * factor**level for level in itertools.count()))
    return [_scaled(size, scale) for scale in (*scales, last)]


def pyramid(picture: Rgb, sizes: list[Size]) -> Iterator[Rgb]:
    """The picture at each size. Each level is made from the one before, which costs a quarter of starting over."""
    level = picture
    for size in sizes:
        shrinks = size.width <= level.shape[1]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        level = cv2.resize(level, (size.width, size.height), interpolation=method)
        yield level


def proposals(
    scores: Scores, offsets: NDArray[np.float32], threshold: float, stretch: tuple[float, float]
) -> tuple[Boxes, Scores]:
    """Boxes of P-Net's windows that score above `threshold`.

    Args:
        scores: of being a face, shape (rows, columns), one a window.
        offsets: of the box's edges in windows, shape (rows, columns, 4).
        threshold: least score.
        stretch: width and height of the picture over those of the level.
    """
    rows, columns = np.nonzero(scores > threshold)
    corners = np.stack([columns, rows, columns, rows], axis=1) * STRIDE + np.array([1, 1, CELL, CELL])
    boxes = corners + offsets[rows, columns].astype(np.float64) * (CELL - 1)
    return boxes * np.array([*stretch, *stretch]), scores[rows, columns]


def regressed(boxes: Boxes, offsets: NDArray[np.float32]) -> Boxes:
    """Boxes with their edges moved by offsets in box sizes, shape (n, 4). A size counts one pixel more, as in training."""
    sizes = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + offsets * np.tile(sizes, 2)


def squared(boxes: Boxes) -> Boxes:
    """The squares about the boxes' centres with their longer sides."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([centres - halves, centres + halves])


def crops(picture: Rgb, boxes: Boxes, side: int) -> NDArray[np.uint8]:
    """The picture under each box, shape (n, side, side, 3): corner pixels on the box's edges, bilinear in between."""
    result = np.empty((len(boxes), side, side, 3), np.uint8)
    for crop, (left, top, right, bottom) in zip(result, boxes, strict=True):
        matrix = np.array([[(right - left) / (side - 1), 0, left], [0, (bottom - top) / (side - 1), top]])
        cv2.warpAffine(
            picture,
            matrix,
            (side, side),
            dst=crop,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=OUTSIDE,
        )
    return result


def suppressed(boxes: Boxes, scores: Scores, threshold: float, *, of_smaller: bool = False) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: indices of the boxes that stay, by falling score.

    Args:
        boxes: any number.
        scores: one a box.
        threshold: a box goes when it overlaps a better one by more than this share.
        of_smaller: the share is of the smaller box's area instead of the union's.
    """
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    left = np.argsort(-scores, kind="stable")
    kept = []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(best)
        inner = np.minimum(boxes[best, 2:], boxes[left, 2:]) - np.maximum(boxes[best, :2], boxes[left, :2])
        shared = inner.clip(min=0).prod(axis=1)
        whole = np.minimum(areas[best], areas[left]) if of_smaller else areas[best] + areas[left] - shared
        left = left[shared <= threshold * whole]
    return np.array(kept, dtype=np.intp)


def _scaled(size: Size, scale: float) -> Size:
    return Size(max(CELL, int(size.width * scale + 1e-6)), max(CELL, int(size.height * scale + 1e-6)))
