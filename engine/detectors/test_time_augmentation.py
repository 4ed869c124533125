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
from engine.detectors.base import Sighting
from engine.detectors.nms import Boxes, Scores, sightings

See = Callable[[Rgb, int], tuple[Boxes, Scores]]
"""Looks at a picture at a size, its longest side in pixels: boxes in pixels of the picture, and their scores."""


class View(NamedTuple):
    """One way of looking: at a size, its longest side in pixels, and perhaps mirrored left to right."""

    size: int
    mirrored: bool


def views(sizes: Sequence[int], *, mirror: bool) -> Iterator[View]:
    """Every size once, and once more in the mirror when asked for."""
    for size in dict.fromkeys(sizes):
        yield View(size, mirrored=False)
        if mirror:
            yield View(size, mirrored=True)


def look(picture: Rgb, see: See, ways: Sequence[View], overlap: float) -> list[Sighting]:
    """What is seen in all the ways together.

    Args:
        picture: upright.
        see: looks once.
        ways: how to look.
        overlap: a box that shares at least this IoU with a better one, seen in whatever way, is the same face.

    Returns:
        As a detector must answer.
    """
    size = Size(picture.shape[1], picture.shape[0])
    seen = [_seen(picture, see, way) for way in ways]
    boxes = np.concatenate([boxes for boxes, _ in seen])
    scores = np.concatenate([scores for _, scores in seen])
    return sightings(boxes, scores, size, overlap)


def _seen(picture: Rgb, see: See, way: View) -> tuple[Boxes, Scores]:
    if not way.mirrored:
        return see(picture, way.size)
    boxes, scores = see(np.ascontiguousarray(picture[:, ::-1]), way.size)
    width = picture.shape[1]
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1), scores
