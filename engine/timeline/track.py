"""Faces of successive frames become tracks: motion is predicted, faces are given to predictions at least total cost.

A track keeps a constant velocity that each sighting corrects (alpha-beta filter whose position follows the sighting).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.record import TrackingSettings
from engine.timeline.fuse import FusedFace

Boxes = NDArray[np.float64]
"""Shape (n, 4): left, top, right, bottom in display pixels."""

_FORBIDDEN_COST = 1e6
_ABSENCE_COST = 0.02
"""A frame unseen costs as much as this many face sizes of distance, so that a hidden face does not take the sighting
of the one that hides it."""
_MAX_SIZE_FACTOR = 2.5
"""Factor of size beyond which a face that does not overlap its prediction is another one."""


def assign_tracks(
    frames: Iterable[Sequence[FusedFace]], cuts: Iterable[int], settings: TrackingSettings
) -> Iterator[list[int]]:
    """The track number of each face, frame by frame; numbered from 0 in order of appearance.

    Args:
        frames: faces of each frame.
        cuts: frames that begin a new scene; no track crosses one.
        settings: how far a face may be from where it was expected.
    """
    tracker, beginnings = _Tracker(settings), frozenset(cuts)
    for index, faces in enumerate(frames):
        if index in beginnings:
            tracker.end_tracks()
        yield tracker.assign_boxes(index, boxes_to_array(faces)) if faces else []


def boxes_to_array(faces: Sequence[FusedFace]) -> Boxes:
    """The boxes of faces as an array of shape (n, 4)."""
    return np.array([(f.box.left, f.box.top, f.box.right, f.box.bottom) for f in faces], dtype=np.float64)


class _Tracker:
    """Open tracks as arrays: last box, velocity of the centre in pixels a frame, last frame, number."""

    def __init__(self, settings: TrackingSettings) -> None:
        self._settings = settings
        decay = settings.inertia ** np.arange(settings.patience + 1)
        self._travel_factors = np.concatenate(([0.0], np.cumsum(decay)))
        self._track_count = 0
        self.end_tracks()

    def end_tracks(self) -> None:
        """End all tracks."""
        self._last_boxes: Boxes = np.empty((0, 4))
        self._velocity = np.empty((0, 2))
        self._last_frames = np.empty(0, dtype=np.int64)
        self._track_numbers = np.empty(0, dtype=np.int64)

    def assign_boxes(self, index: int, boxes: Boxes) -> list[int]:
        """Track numbers of the boxes of frame `index`."""
        self._keep_tracks(index - self._last_frames <= self._settings.patience + 1)
        numbers = np.full(len(boxes), -1, dtype=np.int64)
        if len(self._last_boxes):
            rows, columns = self._match_boxes(index, boxes)
            self._update_tracks(index, rows, boxes[columns])
            numbers[columns] = self._track_numbers[rows]
        new = numbers < 0
        if new.any():
            numbers[new] = self._begin_tracks(index, boxes[new])
        found: list[int] = numbers.tolist()
        return found

    def _keep_tracks(self, which: NDArray[np.bool_]) -> None:
        if not which.all():
            self._last_boxes, self._velocity = self._last_boxes[which], self._velocity[which]
            self._last_frames, self._track_numbers = self._last_frames[which], self._track_numbers[which]

    def _match_boxes(self, index: int, boxes: Boxes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of open tracks and, for each, the box that continues it."""
        absent = index - self._last_frames
        predicted = self._last_boxes + np.tile(self._velocity * self._travel_factors[absent][:, None], 2)
        cost = _matching_costs(predicted, boxes, absent, self._settings)
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - takes half a second that rendering saves

        rows, columns = linear_sum_assignment(cost)
        allowed = cost[rows, columns] < _FORBIDDEN_COST
        return rows[allowed], columns[allowed]

    def _update_tracks(self, index: int, rows: NDArray[np.int64], boxes: Boxes) -> None:
        absent = index - self._last_frames[rows]
        moved = _box_centres(boxes) - _box_centres(self._last_boxes[rows])
        surprise = moved / self._travel_factors[absent][:, None] - self._velocity[rows]
        self._velocity[rows] += self._settings.agility * surprise
        self._last_boxes[rows], self._last_frames[rows] = boxes, index

    def _begin_tracks(self, index: int, boxes: Boxes) -> NDArray[np.int64]:
        numbers = np.arange(self._track_count, self._track_count + len(boxes))
        self._track_count += len(boxes)
        self._last_boxes = np.concatenate((self._last_boxes, boxes))
        self._velocity = np.concatenate((self._velocity, np.zeros((len(boxes), 2))))
        self._last_frames = np.concatenate((self._last_frames, np.full(len(boxes), index)))
        self._track_numbers = np.concatenate((self._track_numbers, numbers))
        return numbers


def _matching_costs(
    predicted: Boxes, boxes: Boxes, absent: NDArray[np.int64], settings: TrackingSettings
) -> NDArray[np.float64]:
    """Cost of giving each box (columns) to each track (rows): distance in face sizes, lack of overlap, absence."""
    one, other = predicted[:, None], boxes[None]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = np.maximum(sides, 0.0).prod(axis=-1)
    area, areas = _box_areas(one), _box_areas(other)
    iou = shared / (area + areas - shared)
    apart = np.hypot(*np.moveaxis(_box_centres(one) - _box_centres(other), -1, 0))
    distance = apart / np.sqrt(np.sqrt(area * areas))
    change = np.maximum(area, areas) / np.minimum(area, areas)
    near = (distance <= settings.reach) & (change <= _MAX_SIZE_FACTOR**2)
    cost = distance + (1.0 - iou) + _ABSENCE_COST * (absent - 1)[:, None]
    return np.where(near | ((iou >= settings.iou) & (iou > 0)), cost, _FORBIDDEN_COST)


def _box_areas(boxes: Boxes) -> Boxes:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _box_centres(boxes: Boxes) -> Boxes:
    return (boxes[..., :2] + boxes[..., 2:]) / 2
