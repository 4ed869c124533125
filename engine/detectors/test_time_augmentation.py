"""Test-time augmentation: one picture is detected at several sizes and mirrored, and the detections are merged.

A network seldom makes the same error in two views: a face that it just misses at one size, or from one side, it often
finds in another. Fully convolutional networks need no tiles for that: a larger size costs as much as the tiles would,
and cuts no face.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors.nms import Boxes, Scores, detections_from_boxes
from engine.record import Detection

DetectAtSize = Callable[[Rgb, int], tuple[Boxes, Scores]]
"""Detects in a picture scaled to a longest side in pixels: boxes in pixels of the original picture, and scores."""


class View(NamedTuple):
    """One view of a picture: scaled to a longest side in pixels, and perhaps mirrored left to right."""

    size: int
    mirrored: bool


def list_views(sizes: Sequence[int], *, mirror: bool) -> Iterator[View]:
    """Yield a view for every size and, if `mirror`, a mirrored one."""
    for size in dict.fromkeys(sizes):
        yield View(size, mirrored=False)
        if mirror:
            yield View(size, mirrored=True)


def detect_in_views(
    picture: Rgb, detect_at_size: DetectAtSize, views: Sequence[View], max_iou: float, detector: str
) -> list[Detection]:
    """Detect in several views and merge the detections.

    Args:
        picture: upright RGB picture.
        detect_at_size: detects in one view.
        views: the views.
        max_iou: IoU from which a box shows the same face as a better one of any view.
        detector: name of the detector.

    Returns:
        The detections by falling score, then box, as a detector must return them.
    """
    size = Size(picture.shape[1], picture.shape[0])
    seen = [_detect_in_view(picture, detect_at_size, way) for way in views]
    boxes = np.concatenate([boxes for boxes, _ in seen])
    scores = np.concatenate([scores for _, scores in seen])
    return detections_from_boxes(boxes, scores, size, max_iou, detector)


def _detect_in_view(picture: Rgb, detect_at_size: DetectAtSize, view: View) -> tuple[Boxes, Scores]:
    if not view.mirrored:
        return detect_at_size(picture, view.size)
    # The mirrored picture is a copy, because networks need contiguous memory; its boxes are mirrored back below.
    boxes, scores = detect_at_size(np.ascontiguousarray(picture[:, ::-1]), view.size)
    width = picture.shape[1]
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1), scores
