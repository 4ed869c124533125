"""Maps of what is hidden in a frame, on a grid of 480x270 cells: from a record, or from two videos."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Orientation, Size
from engine.core.picture import PixelFormat, Rgb
from engine.errors import InputError
from engine.masking.mask import compute_mask
from engine.masking.style import Style
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.record import Record

GRID = Size(480, 270)
"""A cell is 4 pixels wide at 1080 lines and 8 at 2160: small enough for a face of 12 px."""
NEAR_SCALE = 2.0
"""Sides of the area near a face in sides of the face: hair, ears and chin may be hidden without being false."""
HiddenMap = NDArray[np.bool_]
"""Shape (270, 480): True for a cell that is hidden."""

_LUMA_FORMAT = PixelFormat("gray", 8, (0, 0), "y", full_range=False)
_OPAQUE = 255
_MIN_CHANGE = 4.0
"""Mean difference of a cell, in 8-bit steps, under which it counts as unchanged however good the encoder is."""
_MAX_ROUNDING_PX = 16
"""Pixels by which the sides of a copy may differ; it is scaled back."""
_CHANGE_OVER_NOISE = 3.0
"""How many times the difference that encoding alone makes a cell has to differ."""


def scale_to_grid(box: Box, size: Size) -> Box:
    """Convert a box from pixels of a frame to cells."""
    return box.scale_axes(GRID.width / size.width, GRID.height / size.height)


def map_boxes(boxes: Iterable[Box]) -> HiddenMap:
    """Return the cells that boxes, in cells, touch."""
    there = np.zeros((GRID.height, GRID.width), dtype=np.bool_)
    for box in boxes:
        if (inside := box.clip(GRID)) is not None:
            left, top, right, bottom = inside.to_pixel_bounds()
            there[top:bottom, left:right] = True
    return there


def map_record(record: Record, style: Style) -> Iterator[HiddenMap]:
    """Yield what a render of a record hides, frame by frame."""
    orientation = Orientation.upright(GRID)
    for frame in record.frames:
        boxes = [scale_to_grid(face.box, record.display) for face in frame.faces]
        (alpha,) = compute_mask(boxes, orientation, style, _LUMA_FORMAT)
        yield alpha == _OPAQUE


def map_video(source: Path, masked: Path, faces: Sequence[Sequence[Box]]) -> Iterator[HiddenMap]:
    """Yield what a masked copy of a clip hides, frame by frame: cells that differ by more than encoding explains.

    Args:
        source: The clip.
        masked: The copy.
        faces: Boxes of the faces of each frame in cells; the noise of the encoding is measured elsewhere.

    Raises:
        InputError: The copy has another size or number of frames.
        SourceError: A file cannot be read.
    """
    expected, found = probe(source), probe(masked)
    size, other = expected.video.display, found.video.display
    if not _is_close(size, other):
        raise InputError(
            f"{masked} is {other.width}x{other.height}, its source {size.width}x{size.height}; scale it back."
        )
    with open_source(source, expected) as original, open_source(masked, found) as copy:
        for number, (one, two) in enumerate(zip_longest(original.frames(), copy.frames())):
            if one is None or two is None:
                raise InputError(f"{masked} and its source {source} differ in the number of frames; keep all of them.")
            # The frame's pixels belong to the decoder: they are compared before the next one is decoded.
            near_faces = map_boxes(box.scale(NEAR_SCALE) for box in faces[number])
            yield compare_pictures(one.rgb(), _scale_back(two.rgb(), size), near_faces)


def _is_close(size: Size, other: Size) -> bool:
    """Return whether a size is another one rounded up, as encoders that take only multiples of 16 make it."""
    return abs(size.width - other.width) <= _MAX_ROUNDING_PX and abs(size.height - other.height) <= _MAX_ROUNDING_PX


def _scale_back(picture: Rgb, size: Size) -> Rgb:
    if picture.shape[:2] == (size.height, size.width):
        return picture
    return np.asarray(cv2.resize(picture, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)


def compare_pictures(original: Rgb, copy: Rgb, near_faces: HiddenMap) -> HiddenMap:
    """Return the cells in which a copy of a picture differs by more than encoding explains."""
    difference = cv2.resize(cv2.absdiff(original, copy), (GRID.width, GRID.height), interpolation=cv2.INTER_AREA)
    change = difference.astype(np.float32).mean(axis=2)
    elsewhere = change[~near_faces]
    noise = float(np.median(elsewhere)) if elsewhere.size else 0.0
    changed = (change > max(_MIN_CHANGE, _CHANGE_OVER_NOISE * noise)).astype(np.uint8)
    # A blurred cheek looks as before. What is enclosed by changed cells lies under the same mask.
    closed = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return np.asarray(closed > 0, np.bool_)


def measure_ellipse(hidden: HiddenMap, box: Box) -> float:
    """Return the hidden share of the ellipse inside a box given in cells."""
    left, top, right, bottom = box.to_pixel_bounds()
    left, top, right, bottom = max(0, left), max(0, top), min(GRID.width, right), min(GRID.height, bottom)
    (x, y) = box.centre
    across = (np.arange(left, right) + 0.5 - x) / (box.width / 2)
    down = (np.arange(top, bottom) + 0.5 - y) / (box.height / 2)
    inside = np.add.outer(down**2, across**2) <= 1.0
    if not inside.any():
        return float(hidden[top:bottom, left:right].mean())
    return float(hidden[top:bottom, left:right][inside].mean())
