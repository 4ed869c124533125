"""Tracker of a live run: follows faces by detections that come late and at different rates.

A track keeps the last detection of each detector and one speed. To locate the face at some time, each recent detection
is moved by the speed and grown by its distance in time; the mask is the hull of all of them. Prediction works in both
directions of time, so a detection in a frame that is already gone, or is still to be shown, is of use too.

The batch tracker in `engine.timeline.track` interpolates between detections before and after a frame. A live run does
not know the ones after, so its masks have to grow instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.core.geometry import Box
from engine.live.settings import FollowingSettings
from engine.record import Detection

_MIN_STEP_S = 0.005
"""Least number of seconds between two detections for a speed to be computed; noise would dominate below."""
_MIN_IOU = 0.2
"""IoU with the expected box from which a detection continues a track whatever its distance and size."""
_MAX_SIZE_RATIO = 3.0
"""Ratio of the sides beyond which a detection that does not overlap the expected box is another face."""


@dataclass(frozen=True, slots=True)
class TimedDetection:
    """A detection and the time, in seconds, of the frame it was found in."""

    time_s: float
    detection: Detection


@dataclass(frozen=True, slots=True)
class FollowedFace:
    """A track's face at some time: its box, not clipped to the frame, and the detections at that very time."""

    number: int
    box: Box
    detections: tuple[Detection, ...]


@dataclass(slots=True)
class _Track:
    number: int
    speed: tuple[float, float] = (0.0, 0.0)
    last_detections: dict[str, TimedDetection] = field(default_factory=dict)

    @property
    def newest(self) -> TimedDetection:
        return max(self.last_detections.values(), key=lambda timed: timed.time_s)

    def predict_box(self, detector: str, time_s: float, settings: FollowingSettings) -> Box:
        """Predict the box that a detector would report.

        Detectors disagree on the size of a face, so its own last detection is preferred while it is recent.
        """
        own = self.last_detections.get(detector)
        newest = self.newest
        last = own if own is not None and newest.time_s - own.time_s <= settings.together else newest
        return _move_box(last.detection.box, self.speed, time_s - last.time_s, settings)

    def compute_match_cost(self, detector: str, timed: TimedDetection, settings: FollowingSettings) -> float | None:
        """Return how badly a detection continues the track; None if it is another face."""
        # The longer the track had no detection, the further the face may have moved in an unexpected direction.
        elapsed = abs(timed.time_s - self.newest.time_s)
        reach = min(settings.reach + settings.stride * elapsed, 2 * settings.reach)
        return _compute_cost(self.predict_box(detector, timed.time_s, settings), timed.detection.box, reach)

    def add_detection(self, detector: str, timed: TimedDetection, settings: FollowingSettings) -> None:
        # The speed comes from two detections of the same detector: the offset between detectors would look like motion.
        before = self.last_detections.get(detector)
        self.last_detections[detector] = timed
        if before is None or timed.time_s - before.time_s < _MIN_STEP_S:
            return
        elapsed = timed.time_s - before.time_s
        (x, y), (old_x, old_y) = timed.detection.box.centre, before.detection.box.centre
        self.speed = tuple(
            speed + settings.agility * (distance / elapsed - speed)
            for speed, distance in zip(self.speed, (x - old_x, y - old_y), strict=True)
        )  # type: ignore[assignment]

    def locate_face(self, time_s: float, settings: FollowingSettings) -> FollowedFace:
        newest = self.newest
        recent = [last for last in self.last_detections.values() if newest.time_s - last.time_s <= settings.together]
        boxes = [_cover_path(last, time_s, self.speed, settings) for last in recent]
        hull = boxes[0]
        for box in boxes[1:]:
            hull = hull.hull(box)
        now = tuple(last.detection for _, last in sorted(self.last_detections.items()) if last.time_s == time_s)
        return FollowedFace(self.number, hull, now)


class Tracker:
    """The faces that are followed at present. Serves one thread; times are seconds of the source's clock.

    Args:
        settings: how faces are followed.
    """

    def __init__(self, settings: FollowingSettings) -> None:
        self._settings = settings
        self._tracks: list[_Track] = []
        self._track_count = 0

    def clear(self) -> None:
        """End all tracks."""
        self._tracks.clear()

    def add_detections(self, detector: str, time_s: float, detections: Sequence[Detection], confidence: float) -> None:
        """Add a detector's answer for one frame.

        Args:
            detector: name of the detector.
            time_s: time of the frame.
            detections: boxes in display pixels.
            confidence: least score that starts a track; a track continues with any score.
        """
        # Best score first, each track once: a weak detection beside a face must not take the face's track.
        free = list(self._tracks)
        for detection in sorted(detections, key=lambda detection: -detection.score):
            track = self._find_track(detector, time_s, detection, free)
            if track is not None:
                free.remove(track)
            elif detection.score >= confidence:
                track = self._start_track()
            if track is not None:
                track.add_detection(detector, TimedDetection(time_s, detection), self._settings)

    def locate_faces(self, time_s: float) -> list[FollowedFace]:
        """Return the followed faces at some time; end the tracks that had no detection for too long."""
        self._tracks = [track for track in self._tracks if time_s - track.newest.time_s <= self._settings.hold]
        return [track.locate_face(time_s, self._settings) for track in self._tracks]

    def _find_track(self, detector: str, time_s: float, detection: Detection, free: Sequence[_Track]) -> _Track | None:
        costs = [
            (cost, track.number, track)
            for track in free
            if (cost := track.compute_match_cost(detector, TimedDetection(time_s, detection), self._settings))
            is not None
        ]
        return min(costs, key=lambda entry: entry[:2])[2] if costs else None

    def _start_track(self) -> _Track:
        track = _Track(self._track_count)
        self._track_count += 1
        self._tracks.append(track)
        return track


def _compute_cost(expected: Box, box: Box, reach: float) -> float | None:
    """Return the distance of a box from the expected one in face sides, plus 1 - IoU; None if it is another face."""
    iou = expected.iou(box)
    (x, y), (other_x, other_y) = expected.centre, box.centre
    distance = math.hypot(x - other_x, y - other_y) / math.sqrt(math.sqrt(expected.area * box.area))
    area_ratio = max(expected.area, box.area) / min(expected.area, box.area)
    near = distance <= reach and area_ratio <= _MAX_SIZE_RATIO**2
    return distance + 1.0 - iou if near or iou >= _MIN_IOU else None


def _move_box(box: Box, speed: tuple[float, float], elapsed_s: float, settings: FollowingSettings) -> Box:
    # A speed is good for a moment only; a face that left the prediction would be followed into the distance.
    elapsed_s = max(-settings.travel, min(settings.travel, elapsed_s))
    x, y = speed[0] * elapsed_s, speed[1] * elapsed_s
    return Box(box.left + x, box.top + y, box.right + x, box.bottom + y)


def _cover_path(timed: TimedDetection, time_s: float, speed: tuple[float, float], settings: FollowingSettings) -> Box:
    """Return the hull of a detection's box and the box it has moved to, grown by time and distance."""
    elapsed = time_s - timed.time_s
    if elapsed == 0:
        return timed.detection.box
    box = timed.detection.box
    # Both ends of the way are covered: the face may have stopped just after the detection.
    path = box.hull(_move_box(box, speed, elapsed, settings))
    side = max(box.width, box.height)
    distance = math.hypot(*speed) * min(abs(elapsed), settings.travel)
    margin = min(settings.growth * abs(elapsed) * side + settings.doubt * distance, settings.limit * side)
    return Box(path.left - margin, path.top - margin, path.right + margin, path.bottom + margin)


def compute_covered_share(box: Box, masks: Sequence[Box]) -> float:
    """Return the largest share of a box's area that a single mask covers."""
    return max((box.intersection_area(mask) / box.area for mask in masks), default=0.0)
