"""Geometry of MTCNN's cascade: image pyramid, proposals, crops, regression and suppression, on plain arrays.

Zhang, Zhang, Li, Qiao: Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks, IEEE Signal
Processing Letters 23 (2016). Boxes are arrays of shape (n, 4): left, top, right, bottom in pixels of the picture.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Size

WINDOW_PX = 12
"""Side of the window that P-Net classifies."""
STRIDE_PX = 2
"""Distance from one window of P-Net to the next."""
BORDER_VALUE = (127.5, 127.5, 127.5)
"""Samples beyond the picture's border: zero for the networks, which take (sample - 127.5) / 128."""
_MIN_OVERSAMPLING = 6
_BLOCK_BOXES = 512
"""Boxes that are compared with all better ones at a time; limits the memory for pictures full of proposals."""

Samples = NDArray[np.float32]
"""Pictures with samples from 0 to 255, not rounded: rounding to integers would lose one face in sixty."""
Boxes = NDArray[np.float64]
Scores = NDArray[np.float32]


def pyramid_scales(size: Size, min_face: int, factor: float) -> list[float]:
    """Return the scales of the pyramid's levels relative to the picture, largest first.

    On the first level a face of `min_face` pixels fills one window. Each further level is `factor` times as large. The
    last one is as high or wide as one window, so that a face that fills the picture is found, too. The list is empty if
    the picture is smaller than `min_face`.
    """
    first, last = WINDOW_PX / min_face, WINDOW_PX / min(size.width, size.height)
    if first < last:
        return []
    levels = (first * factor**level for level in itertools.count())
    return [*itertools.takewhile(lambda scale: scale > last, levels), last]


def build_pyramid(picture: Samples, levels: Sequence[float]) -> Iterator[Samples]:
    """Yield the picture at falling scales; every sample is the mean of the area that it covers.

    Small levels are made from a halved picture as long as it has six samples for each of theirs: that takes a tenth of
    the time, and the means hardly differ. To make each level from the one before is faster still, but loses one face in
    fifteen.
    """
    size = Size(picture.shape[1], picture.shape[0])
    for scale in levels:
        wanted = _scale_size(size, scale)
        while (
            picture.shape[1] >= 2 * _MIN_OVERSAMPLING * wanted.width
            and picture.shape[0] >= 2 * _MIN_OVERSAMPLING * wanted.height
        ):
            halves = Size(-(-picture.shape[1] // 2), -(-picture.shape[0] // 2))
            picture = _resize_picture(picture, halves)
        yield _resize_picture(picture, wanted)


def decode_proposals(
    scores: Scores, offsets: NDArray[np.float32], threshold: float, scale: float
) -> tuple[Boxes, Scores]:
    """Return boxes, in pixels of the picture, and scores of P-Net's windows above a threshold on one level.

    Args:
        scores: score of each window, shape (rows, columns).
        offsets: offsets of the box's edges, in window sides, shape (rows, columns, 4).
        threshold: the threshold.
        scale: scale of the level.
    """
    rows, columns = np.nonzero(scores > threshold)
    # A window's edges are its first pixel plus one and its last plus one, as the package `mtcnn` has them.
    corners = np.stack([columns, rows, columns, rows], axis=1) * STRIDE_PX + np.array([1, 1, WINDOW_PX, WINDOW_PX])
    boxes = corners + offsets[rows, columns].astype(np.float64) * (WINDOW_PX - 1)
    return boxes / scale, scores[rows, columns]


def apply_offsets(boxes: Boxes, offsets: NDArray[np.float32]) -> Boxes:
    """Move the edges of boxes by offsets in box sizes, shape (n, 4).

    A size is one pixel more than the difference of the edges, as in the training of the networks.
    """
    sizes = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + offsets * np.tile(sizes, 2)


def expand_to_squares(boxes: Boxes) -> Boxes:
    """Return the squares about the boxes' centres with the length of their longer sides."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([centres - halves, centres + halves])


def crop_boxes(picture: Samples, boxes: Boxes, side: int) -> Samples:
    """Return the picture under each box by bilinear sampling, shape (n, side, side, 3).

    The first sample is at the box's first edge.
    """
    height, width = picture.shape[:2]
    # Edges are counted from the first pixel's centre to the last one's, as the package `mtcnn` has them.
    edges = boxes * np.tile([(width - 1) / width, (height - 1) / height], 2)
    result = np.empty((len(boxes), side, side, 3), np.float32)
    for crop, (left, top, right, bottom) in zip(result, edges, strict=True):
        matrix = np.array([[(right - left) / (side - 1), 0, left], [0, (bottom - top) / (side - 1), top]])
        cv2.warpAffine(
            picture,
            matrix,
            (side, side),
            dst=crop,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=BORDER_VALUE,
        )
    return result


def select_distinct(
    boxes: Boxes, scores: Scores, threshold: float, *, relative_to_smaller: bool = False
) -> NDArray[np.intp]:
    """Return the indices of the boxes that non-maximum suppression keeps, by falling score.

    As in the package `mtcnn`, a box is removed if it overlaps any better one, even one that is removed itself.

    Args:
        boxes: boxes, shape (n, 4).
        scores: score of each box.
        threshold: greatest share that two boxes may have in common.
        relative_to_smaller: True if the share is of the smaller box's area instead of the union's.
    """
    # Stable, so that proposals with equal scores keep the order of the pyramid on every machine.
    order = np.argsort(-scores, kind="stable")
    boxes = boxes[order]
    stays = np.ones(len(order), dtype=bool)
    for start in range(0, len(order), _BLOCK_BOXES):
        block = slice(start, start + _BLOCK_BOXES)
        overlaps = _find_overlaps(
            boxes[: start + _BLOCK_BOXES], boxes[block], threshold, relative_to_smaller=relative_to_smaller
        )
        # Boxes are sorted, so a lower position is a better box. Only those count against the boxes of this block.
        better = np.arange(len(overlaps))[:, None] < np.arange(start, start + overlaps.shape[1])
        stays[block] = ~(overlaps & better).any(axis=0)
    return order[stays]


def _find_overlaps(some: Boxes, others: Boxes, threshold: float, *, relative_to_smaller: bool) -> NDArray[np.bool_]:
    """Return where a box of `some` (rows) shares more than `threshold` with a box of `others` (columns)."""
    left, top, right, bottom = (
        pick(some[:, edge, None], others[None, :, edge])
        for edge, pick in enumerate((np.maximum, np.maximum, np.minimum, np.minimum))
    )
    shared = (right - left).clip(min=0.0) * (bottom - top).clip(min=0.0)
    areas, other_areas = _box_areas(some)[:, None], _box_areas(others)[None]
    whole = np.minimum(areas, other_areas) if relative_to_smaller else areas + other_areas - shared
    overlaps: NDArray[np.bool_] = shared > threshold * whole
    return overlaps


def _box_areas(boxes: Boxes) -> NDArray[np.float64]:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _scale_size(size: Size, scale: float) -> Size:
    # The smallest level is one window wide or high; rounding must not make it less.
    return Size(*(max(WINDOW_PX, int(side * scale)) for side in (size.width, size.height)))


def _resize_picture(picture: Samples, size: Size) -> Samples:
    method = cv2.INTER_AREA if size.width <= picture.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (size.width, size.height), interpolation=method), np.float32)
