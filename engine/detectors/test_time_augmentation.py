"""Test-time augmentation: one picture is detected at several sizes, mirrored and turned; the detections are merged.

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


_TURNED_SCORE = 0.8
"""Factor on the scores of turned views. They bring false boxes of their own, so one of them alone needs a higher score;
and of an upright face they draw a worse box, which must not replace that of the upright view."""


_TURNED_LEAST = 0.5
"""Least score in a turned view: heads that lie have 0.8 and more there, and weaker boxes are mostly false."""
_OVERVIEW_SHARE = 0.3
"""Least height of a face in an overview, as a share of the picture's shorter side. An overview is there for faces that
fill the picture; its small boxes are mostly false, and the other views see small faces better."""


_OVERVIEW_SHRINK = 4 / 3
"""Least factor by which an overview shrinks a picture; smaller pictures have none."""


class View(NamedTuple):
    """One view of a picture.

    Attributes:
        size: longest side in pixels to which it is scaled.
        mirrored: mirrored left to right.
        quarter_turns: turned counter-clockwise by so many times 90 degrees; a mirrored view is not turned.
        overview: only faces that are large in the picture count.
    """

    size: int
    mirrored: bool = False
    quarter_turns: int = 0
    overview: bool = False


def list_views(sizes: Sequence[int], *, mirror: bool, overview: int = 0, turned: int = 0) -> Iterator[View]:
    """Yield the views of a picture.

    Args:
        sizes: a view for every size.
        mirror: for every size also a mirrored one.
        overview: size of an overview; 0 for none.
        turned: size of three turned views; 0 for none.
    """
    for size in dict.fromkeys(sizes):
        yield View(size, mirrored=False)
        if mirror:
            yield View(size, mirrored=True)
    if overview:
        yield View(overview, overview=True)
    if turned:
        # Networks find a face that is turned by up to 45 degrees, so quarter turns reach every angle.
        yield from (View(turned, quarter_turns=turns) for turns in (1, 2, 3))


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
    # In a small picture an overview shows what the other views show, and its boxes only add to the false ones.
    useful = [view for view in views if not view.overview or size.longest_side >= _OVERVIEW_SHRINK * view.size]
    seen = [_detect_in_view(picture, detect_at_size, view) for view in useful]
    boxes = np.concatenate([boxes for boxes, _ in seen])
    scores = np.concatenate([scores for _, scores in seen])
    return detections_from_boxes(boxes, scores, size, max_iou, detector)


def _detect_in_view(picture: Rgb, detect_at_size: DetectAtSize, view: View) -> tuple[Boxes, Scores]:
    if view.quarter_turns:
        boxes, scores = detect_at_size(np.ascontiguousarray(np.rot90(picture, view.quarter_turns)), view.size)
        boxes, scores = boxes[scores >= _TURNED_LEAST], scores[scores >= _TURNED_LEAST]
        return _turn_back(boxes, Size(picture.shape[1], picture.shape[0]), view.quarter_turns), scores * _TURNED_SCORE
    if not view.mirrored:
        boxes, scores = detect_at_size(picture, view.size)
        if not view.overview:
            return boxes, scores
        large = boxes[:, 3] - boxes[:, 1] >= _OVERVIEW_SHARE * min(picture.shape[:2])
        return boxes[large], scores[large]
    # The mirrored picture is a copy, because networks need contiguous memory; its boxes are mirrored back below.
    boxes, scores = detect_at_size(np.ascontiguousarray(picture[:, ::-1]), view.size)
    width = picture.shape[1]
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1), scores


def _turn_back(boxes: Boxes, size: Size, quarter_turns: int) -> Boxes:
    """Return boxes of a picture of `size` from boxes of its copy that was turned counter-clockwise."""
    left, top, right, bottom = boxes.T
    match quarter_turns:
        case 1:
            sides = [size.width - bottom, left, size.width - top, right]
        case 2:
            sides = [size.width - right, size.height - bottom, size.width - left, size.height - top]
        case _:
            sides = [top, size.height - right, bottom, size.height - left]
    return np.stack(sides, axis=1)
