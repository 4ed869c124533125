"""Tracking: motion is predicted, and the faces of a frame are assigned to the predictions at least total cost.

A track has a constant velocity that each detection corrects (an alpha-beta filter whose position follows the detection,
alpha = 1). The assignment is solved by the Hungarian method: a greedy one swaps faces that pass each other. Confident
detections are assigned first and weak ones to the tracks that are left (ByteTrack, Zhang et al. 2022): beside a large
face detectors find weak boxes, and the track of the face must not continue in one of them, nor theirs in the face.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.record import TrackingInFrames
from engine.record.support import CONFIDENT_SUPPORT, compute_support
from engine.timeline.box_arrays import Boxes, boxes_to_array, measure_areas, measure_shared_areas
from engine.timeline.fuse import FusedFace

_FORBIDDEN_COST = 1e6
_ABSENCE_COST = 0.02
"""Cost of a frame without a detection, in face sizes of distance, so that the track of a hidden face does not take the
detection of the face in front of it."""
_UNFOUNDED_COST = 0.3
"""Cost of a confident detection for a track that never had one, in face sizes of distance."""
_MAX_SIZE_FACTOR = 2.5
"""Factor of size beyond which a face that does not overlap its prediction is a different one."""


def assign_tracks(
    frames: Iterable[Sequence[FusedFace]],
    cuts: Iterable[int],
    settings: TrackingInFrames,
    confident_scores: Mapping[str, float],
) -> Iterator[list[int]]:
    """Yield for each frame the track numbers of its faces, numbered from 0 in order of appearance.

    Args:
        frames: faces of each frame.
        cuts: frames that begin a new scene; no track crosses a cut.
        settings: how far a face may be from its predicted place.
        confident_scores: confident score by detector, as in `compute_support`.
    """
    tracker, beginnings = _Tracker(settings), frozenset(cuts)
    for index, faces in enumerate(frames):
        if index in beginnings:
            tracker.end_tracks()
        if not faces:
            yield []
            continue
        support = [compute_support(face.evidence, confident_scores) for face in faces]
        yield tracker.assign_boxes(
            index, boxes_to_array(face.box for face in faces), np.array(support) >= CONFIDENT_SUPPORT
        )


class _Tracker:
    """Open tracks as arrays: last box, velocity of the centre in pixels a frame, last frame, number, and whether any of
    their detections was confident.
    """

    def __init__(self, settings: TrackingInFrames) -> None:
        self._settings = settings
        # Distance that a face covers in n frames without a detection, in units of its speed: 0, 1, 1 + inertia ...
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
        self._founded = np.empty(0, dtype=np.bool_)

    def assign_boxes(self, index: int, boxes: Boxes, confident: NDArray[np.bool_]) -> list[int]:
        """Return the track numbers of the boxes of frame `index`, of which some are confident detections."""
        # Open tracks are rows of arrays, so that the costs of all pairs in a frame are computed at once.
        self._keep_tracks(index - self._last_frames <= self._settings.patience + 1)
        numbers = np.full(len(boxes), -1, dtype=np.int64)
        if len(self._last_boxes):
            rows, columns = self._match_boxes(index, boxes, confident)
            self._update_tracks(index, rows, boxes[columns])
            self._founded[rows] |= confident[columns]
            numbers[columns] = self._track_numbers[rows]
        new = numbers < 0
        if new.any():
            numbers[new] = self._begin_tracks(index, boxes[new], confident[new])
        found: list[int] = numbers.tolist()
        return found

    def _keep_tracks(self, which: NDArray[np.bool_]) -> None:
        if not which.all():
            self._last_boxes, self._velocity = self._last_boxes[which], self._velocity[which]
            self._last_frames, self._track_numbers = self._last_frames[which], self._track_numbers[which]
            self._founded = self._founded[which]

    def _match_boxes(
        self, index: int, boxes: Boxes, confident: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return rows of open tracks and, for each, the column of the box that continues it."""
        absent = index - self._last_frames
        predicted = self._last_boxes + np.tile(self._velocity * self._travel_factors[absent][:, None], 2)
        cost = _matching_costs(predicted, boxes, absent, self._settings)
        cost += np.outer(~self._founded, confident) * _UNFOUNDED_COST
        rows, columns = _solve_assignment(cost[:, confident])
        weak_rows = np.setdiff1d(np.arange(len(cost)), rows)
        more_rows, more_columns = _solve_assignment(cost[np.ix_(weak_rows, ~confident)])
        columns, more_columns = np.flatnonzero(confident)[columns], np.flatnonzero(~confident)[more_columns]
        return np.concatenate((rows, weak_rows[more_rows])), np.concatenate((columns, more_columns))

    def _update_tracks(self, index: int, rows: NDArray[np.int64], boxes: Boxes) -> None:
        absent = index - self._last_frames[rows]
        moved = _box_centres(boxes) - _box_centres(self._last_boxes[rows])
        # After a gap the face was seen to move by several frames' travel; divided by it, it is a speed per frame again.
        surprise = moved / self._travel_factors[absent][:, None] - self._velocity[rows]
        self._velocity[rows] += self._settings.agility * surprise
        self._last_boxes[rows], self._last_frames[rows] = boxes, index

    def _begin_tracks(self, index: int, boxes: Boxes, confident: NDArray[np.bool_]) -> NDArray[np.int64]:
        numbers = np.arange(self._track_count, self._track_count + len(boxes))
        self._track_count += len(boxes)
        self._last_boxes = np.concatenate((self._last_boxes, boxes))
        self._velocity = np.concatenate((self._velocity, np.zeros((len(boxes), 2))))
        self._last_frames = np.concatenate((self._last_frames, np.full(len(boxes), index)))
        self._track_numbers = np.concatenate((self._track_numbers, numbers))
        self._founded = np.concatenate((self._founded, confident))
        return numbers


def _solve_assignment(cost: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows and columns that are paired at least total cost, without forbidden pairs."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - takes half a second that rendering saves

    rows, columns = linear_sum_assignment(cost)
    # The assignment pairs as many as it can, so forbidden pairs are in it, too.
    allowed = cost[rows, columns] < _FORBIDDEN_COST
    return rows[allowed], columns[allowed]


def _matching_costs(
    predicted: Boxes, boxes: Boxes, absent: NDArray[np.int64], settings: TrackingInFrames
) -> NDArray[np.float64]:
    """Return the cost of each box (columns) for each track (rows): distance in face sizes, lack of overlap, absence."""
    # Distances are relative to the face's size, so that the same settings hold for faces near and far.
    one, other = predicted[:, None], boxes[None]
    shared, area, areas = measure_shared_areas(one, other), measure_areas(one), measure_areas(other)
    iou = shared / (area + areas - shared)
    apart = np.hypot(*np.moveaxis(_box_centres(one) - _box_centres(other), -1, 0))
    # The geometric mean of both areas is symmetric: a face that grows costs as much as one that shrinks.
    distance = apart / np.sqrt(np.sqrt(area * areas))
    change = np.maximum(area, areas) / np.minimum(area, areas)
    # Either is enough: a face that moves fast no longer overlaps its prediction, and a face whose box changes in size
    # still does.
    near = (distance <= settings.reach) & (change <= _MAX_SIZE_FACTOR**2)
    cost = distance + (1.0 - iou) + _ABSENCE_COST * (absent - 1)[:, None]
    return np.where(near | ((iou >= settings.iou) & (iou > 0)), cost, _FORBIDDEN_COST)


def _box_centres(boxes: Boxes) -> Boxes:
    return (boxes[..., :2] + boxes[..., 2:]) / 2
