"""From raw boxes to detections: clipping, non-maximum suppression, order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Size
from engine.record import Detection

Boxes = NDArray[np.float64]
"""Shape (n, 4): left, top, right, bottom in pixels of the picture."""
Scores = NDArray[np.float64]
"""Shape (n,)."""


def detections_from_boxes(boxes: Boxes, scores: Scores, size: Size, max_iou: float, detector: str) -> list[Detection]:
    """Clip boxes to the picture and keep the best of those that show the same face.

    Args:
        boxes: boxes that may cross the border; those without an area inside the picture are dropped.
        scores: score of each box, 0 to 1.
        size: size of the picture.
        max_iou: IoU from which a box shows the same face as a better one.
        detector: name of the detector.

    Returns:
        The detections by falling score, then box, as a detector must return them.
    """
    # Clipped before the comparison: two boxes that differ only outside the picture are the same face.
    boxes = boxes.clip(0.0, [size.width, size.height, size.width, size.height])
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    boxes, scores = boxes[inside], scores[inside]
    kept = _suppress_overlaps(boxes, scores, max_iou)
    found = [Detection(detector, Box(*boxes[index].tolist()), float(scores[index])) for index in kept]
    return sorted(found, key=lambda one: (-one.score, one.box.left, one.box.top, one.box.right, one.box.bottom))


def _suppress_overlaps(boxes: Boxes, scores: Scores, max_iou: float) -> list[np.intp]:
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    # Equal scores are ordered by box, so that the answer does not depend on the order in which a network lists boxes.
    left = np.lexsort((*boxes.T, -scores))
    kept = []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(best)
        sides = np.minimum(boxes[best, 2:], boxes[left, 2:]) - np.maximum(boxes[best, :2], boxes[left, :2])
        shared = sides.clip(min=0.0).prod(axis=1)
        left = left[shared < max_iou * (areas[best] + areas[left] - shared)]
    return kept
