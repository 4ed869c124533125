"""Small pictures of faces, and the colours that tell people apart. Runs no model, writes nothing to disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.core.picture import Rgb
from engine.media.source.frame_cache import FrameCache
from engine.review.people import Appearance, ColourHistogram, FaceSample

_MARGIN = 0.35
"""Share of the face that a portrait shows around it, so that hair and surroundings can be recognised."""
_LIGHTNESS_BINS, _COLOUR_BINS = 12, 16
_COLOUR_RANGE = (64, 192)
"""Values of the colour channels that are told apart; skin, hair and common clothes lie well inside."""
_SHAPE_SIDE_PX = 64
_SHAPE_DIRECTIONS = 9
_MIN_CLOTHES_SHARE = 0.3
"""Least share of the area below a face that must be inside of the picture."""
_MIN_SIDE_PX = 4


def cut_portrait(picture: Rgb, box: Box, side_px: int) -> Rgb:
    """Cut a square around a box out of a picture.

    Args:
        picture: The whole picture, in display pixels.
        box: The face.
        side_px: Side of the result; what lies outside of the picture is black.
    """
    reach = max(box.width, box.height) * (0.5 + _MARGIN)
    x, y = box.centre
    left, top, size = round(x - reach), round(y - reach), max(_MIN_SIDE_PX, round(2 * reach))
    square = np.zeros((size, size, 3), np.uint8)
    rows, columns = picture.shape[:2]
    inside = picture[max(0, top) : min(rows, top + size), max(0, left) : min(columns, left + size)]
    down, across = max(0, -top), max(0, -left)
    square[down : down + inside.shape[0], across : across + inside.shape[1]] = inside
    portrait: Rgb = np.asarray(cv2.resize(square, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)
    return portrait


def measure_appearance(picture: Rgb, box: Box) -> Appearance | None:
    """Measure the colours of a head and of the clothes below it.

    Args:
        picture: The whole picture, in display pixels.
        box: The face.

    Returns:
        The colours; None if the face is too small or outside of the picture.
    """
    x, width, height = box.centre[0], box.width, box.height
    head = _cut(picture, x - 0.6 * width, box.top - 0.25 * height, x + 0.6 * width, box.bottom)
    if min(head.shape[:2]) < _MIN_SIDE_PX:
        return None
    left, top, right, bottom = x - width, box.bottom + 0.4 * height, x + width, box.bottom + 1.6 * height
    clothes = _cut(picture, left, top, right, bottom)
    is_enough = clothes.shape[0] * clothes.shape[1] >= _MIN_CLOTHES_SHARE * (right - left) * (bottom - top)
    return Appearance(_measure_colours(head), _measure_shape(head), _measure_colours(clothes) if is_enough else None)


def measure_samples(frames: FrameCache, samples: Iterable[FaceSample]) -> Iterator[tuple[FaceSample, Appearance]]:
    """Measure the looks of faces, in the order of their frames so that each part of the video is decoded once.

    Raises:
        SourceError: The source cannot be read.
    """
    index, picture = -1, np.zeros((0, 0, 3), np.uint8)
    for sample in sorted(samples, key=lambda one: (one.frame, one.track)):
        if sample.frame != index:
            index, picture = sample.frame, frames.get_frame(sample.frame).rgb()
        appearance = measure_appearance(picture, sample.box)
        if appearance is not None:
            yield sample, appearance


def _cut(picture: Rgb, left: float, top: float, right: float, bottom: float) -> Rgb:
    return picture[max(0, round(top)) : max(0, round(bottom)), max(0, round(left)) : max(0, round(right))]


def _measure_colours(part: Rgb) -> ColourHistogram:
    """Measure the shares of colours in CIE L*a*b*, where distances are close to what an eye sees."""
    lab = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2LAB)
    bins = [_LIGHTNESS_BINS, _COLOUR_BINS, _COLOUR_BINS]
    counts = cv2.calcHist([lab], [0, 1, 2], None, bins, [0, 256, *_COLOUR_RANGE, *_COLOUR_RANGE]).ravel()
    shares: ColourHistogram = np.sqrt(counts / max(1.0, float(counts.sum()))).astype(np.float32)
    return shares


def _measure_shape(part: Rgb) -> NDArray[np.float32]:
    """Measure the directions of edges (HOG, Dalal and Triggs 2005), less what all parts of the face have in common."""
    size = (_SHAPE_SIDE_PX, _SHAPE_SIDE_PX)
    grey = cv2.resize(cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    descriptor = cv2.HOGDescriptor(size, (16, 16), (8, 8), (8, 8), _SHAPE_DIRECTIONS)
    cells = np.asarray(descriptor.compute(grey), np.float32).reshape(-1, _SHAPE_DIRECTIONS)
    shape = (cells - cells.mean(axis=0)).ravel()
    normed: NDArray[np.float32] = shape / max(1e-6, float(np.linalg.norm(shape)))
    return normed
