"""Paths of faces that were carried by template matching into frames between looks, and their places in a track."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.core.packed_sequence import PackedSequence
from engine.timeline.box_arrays import Boxes, boxes_to_array, measure_overlaps

_SAME_FACE_IOU = 0.5
"""A path belongs to the face of its look that overlaps its source at least so much."""
_AGREEMENT_IOU = 0.4
"""Least IoU at which two estimates of a place agree; below it both places are covered."""


class CarriedPath(msgspec.Struct, frozen=True, array_like=True):
    """One face of a look, carried forwards or backwards in time until it was lost.

    Attributes:
        look: index of the frame that was looked at.
        source: box of the face there.
        step: 1 for forwards, -1 for backwards.
        boxes: its boxes in the frames look + step, look + 2 * step, and so on.
    """

    look: int
    source: Box
    step: int
    boxes: tuple[Box, ...]


class _PackedPath(msgspec.Struct, frozen=True, array_like=True):
    """A path without its look and its source, its boxes as the bytes of their sides."""

    step: int
    sides: bytes


class PathsByLook:
    """The carried paths of a video, found by the look and the face that they start from, in little memory.

    Args:
        paths: the paths, which are not kept.

    Attributes:
        longest: number of boxes of the longest path.
    """

    def __init__(self, paths: Iterable[CarriedPath]) -> None:
        self.longest = 0
        looks, sources = array("q"), array("d")
        self._packed = PackedSequence(
            self._pack(paths, looks, sources), _encoder.encode, _decode_paths, _CACHED_BLOCKS, _BLOCK_PATHS
        )
        frames = np.array(looks, dtype=np.int64)
        # Stable, so that the paths of one look stay in their order.
        self._order = np.argsort(frames, kind="stable")
        self._looks = frames[self._order]
        self._sources: Boxes = np.array(sources, dtype=np.float64).reshape(-1, 4)[self._order]

    def find_paths(self, look: int, face: Box) -> Iterator[CarriedPath]:
        """Yield the paths that start from a face of a look, in the order in which they were given."""
        start, stop = np.searchsorted(self._looks, (look, look + 1))
        # A face may have grown by a detector that answered later, so equal boxes cannot be asked for. All sources are
        # compared before any path is decoded: a crowd has hundreds of paths in each look.
        overlaps = measure_overlaps(boxes_to_array([face]), self._sources[start:stop])[0]
        for place in (start + np.flatnonzero(overlaps >= _SAME_FACE_IOU)).tolist():
            packed = self._packed[self._order[place]]
            boxes = np.frombuffer(packed.sides, dtype=np.float64).reshape(-1, 4).tolist()
            yield CarriedPath(
                look, Box(*self._sources[place].tolist()), packed.step, tuple(Box(*sides) for sides in boxes)
            )

    def _pack(self, paths: Iterable[CarriedPath], looks: array[int], sources: array[float]) -> Iterator[_PackedPath]:
        for path in paths:
            looks.append(path.look)
            sources.extend((path.source.left, path.source.top, path.source.right, path.source.bottom))
            self.longest = max(self.longest, len(path.boxes))
            yield _PackedPath(path.step, boxes_to_array(path.boxes).tobytes())


_CACHED_BLOCKS = 32
"""Paths of one look are given by frame of their end, so they lie in neighbouring blocks."""
_BLOCK_PATHS = 64
"""Of the paths of a look, a track needs two."""
_encoder = msgspec.msgpack.Encoder()
_decode_paths = msgspec.msgpack.Decoder(tuple[_PackedPath, ...]).decode


class _Estimate(NamedTuple):
    """A carried box and the number of frames from the look that it comes from."""

    box: Box
    distance: int


_WINDOW_DETECTIONS = 512
"""Detections whose paths are placed together, which bounds the memory that this takes."""


def place_track(
    frames: NDArray[np.int64], boxes: NDArray[np.float64], paths: PathsByLook, max_gap: int
) -> Iterator[tuple[int, Box]]:
    """Yield the boxes of a track, by rising frame, where it was carried and not detected.

    Args:
        frames: frames in which it was detected, rising, shape (n,).
        boxes: its boxes there, shape (n, 4).
        paths: the carried paths of the video.
        max_gap: as in `place_carried`.
    """
    for start in range(0, len(frames), _WINDOW_DETECTIONS):
        stop = start + _WINDOW_DETECTIONS
        # Up to the next window's first detection; beyond both ends of the track everything counts.
        first = int(frames[start]) if start else -math.inf
        end = int(frames[stop]) if stop < len(frames) else math.inf
        # Paths reach into the window from detections beside it, and a gap ends with the detection after the window.
        near = slice(
            int(np.searchsorted(frames, frames[start] - paths.longest)),
            max(stop + 1, int(np.searchsorted(frames, frames[stop] + paths.longest)) + 1) if end < math.inf else None,
        )
        detected = {
            frame: Box(*place) for frame, place in zip(frames[near].tolist(), boxes[near].tolist(), strict=True)
        }
        own = (path for look, box in detected.items() for path in paths.find_paths(look, box))
        for frame, box in place_carried(detected, own, max_gap).items():
            if first <= frame < end:
                yield frame, box


def place_carried(detected: Mapping[int, Box], paths: Iterable[CarriedPath], max_gap: int) -> dict[int, Box]:
    """Return the boxes of a track in frames where it was carried and not detected.

    Args:
        detected: boxes of the track's detections by frame, rising.
        paths: paths that start at those detections.
        max_gap: longest gap between detections, in frames, in which a box that was carried one way only is checked
            against the straight line.
    """
    estimates: tuple[dict[int, _Estimate], dict[int, _Estimate]] = ({}, {})
    for path in paths:
        one_way = estimates[path.step < 0]
        for distance, box in enumerate(path.boxes, start=1):
            frame = path.look + path.step * distance
            # The nearest look knows best: its template is the freshest.
            if frame not in detected and (frame not in one_way or distance < one_way[frame].distance):
                one_way[frame] = _Estimate(box, distance)
    forwards, backwards = estimates
    _add_straight_lines(forwards, backwards, detected, max_gap)
    return {
        frame: _join(forwards.get(frame), backwards.get(frame)) for frame in sorted(forwards.keys() | backwards.keys())
    }


def _add_straight_lines(
    forwards: dict[int, _Estimate], backwards: dict[int, _Estimate], detected: Mapping[int, Box], max_gap: int
) -> None:
    """Where a face was carried one way only between two detections, let the straight line stand for the other way."""
    for before, after in pairwise(detected):
        if after - before - 1 > max_gap:
            continue
        for frame in range(before + 1, after):
            if (frame in forwards) != (frame in backwards):
                share = (frame - before) / (after - before)
                line = detected[before].interpolate(detected[after], share)
                if frame in forwards:
                    backwards[frame] = _Estimate(line, after - frame)
                else:
                    forwards[frame] = _Estimate(line, frame - before)


def _join(forwards: _Estimate | None, backwards: _Estimate | None) -> Box:
    """Join the estimates of both ways into one box."""
    if forwards is None or backwards is None:
        known = forwards or backwards
        assert known is not None, "a frame without an estimate is not asked about"
        return known.box
    # Where the two ways disagree, one of them follows something else, and it is not known which.
    if forwards.box.iou(backwards.box) < _AGREEMENT_IOU:
        return forwards.box.hull(backwards.box)
    share = forwards.distance / (forwards.distance + backwards.distance)
    return forwards.box.interpolate(backwards.box, share)
