"""One picture looked at several times, at several sizes and in a mirror, and what was seen made one answer.

A network that looks at a picture twice does not err twice in the same place: a face that it just misses at one size, or
from one side, it often sees at another. Fully convolutional networks need no tiles for that: a larger size costs what
as many tiles would, and cuts no face.
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
"""Looks at a picture at a size, its longest side in pixels: boxes in pixels of the picture, and their scores."""


class View(NamedTuple):
    """One way of looking: at a size, its longest side in pixels, and perhaps mirrored left to right."""

    size: int
    mirrored: bool


def list_views(sizes: Sequence[int], *, mirror: bool) -> Iterator[View]:
    """Every size once, and once more in the mirror when asked for."""
    for size in dict.fromkeys(sizes):
        yield View(size, mirrored=False)
        if mirror:
            yield View(size, mirrored=True)


def detect_in_views(
    picture: Rgb, detect_at_size: DetectAtSize, views: Sequence[View], max_iou: float, detector: str
) -> list[Detection]:
    """What is seen in all the ways together.

    Args:
        picture: upright.
        detect_at_size: looks once.
        views: how to look.
        max_iou: a box that shares at least this IoU with a better one, seen in whatever way, is the same face.
        detector: name of the detector.

    Returns:
        As a detector must answer.
    """
    size = Size(picture.shape[1], picture.shape[0])
    seen = [_detect_in_view(picture, detect_at_size, way) for way in views]
    boxes = np.concatenate([boxes for boxes, _ in seen])
    scores = np.concatenate([scores for _, scores in seen])
    return detections_from_boxes(boxes, scores, size, max_iou, detector)


def _detect_in_view(picture: Rgb, detect_at_size: DetectAtSize, view: View) -> tuple[Boxes, Scores]:
    if not view.mirrored:
        return detect_at_size(picture, view.size)
    boxes, scores = detect_at_size(np.ascontiguousarray(picture[:, ::-1]), view.size)
    width = picture.shape[1]
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1), scores
