"""Faces followed forward in time, from sightings that come late and at different rates.

A track keeps the last sighting of each detector and one speed. Where the face is at some time is what each recent
sighting says, moved by the speed and grown by its distance in time, all of them together. Prediction works both ways,
so a sighting of a frame that is already gone, or still to be shown, serves as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.core.geometry import Box
from engine.live.settings import FollowingSettings
from engine.record import Detection

_MIN_STEP_S = 0.005
"""Seconds between two sightings from which a speed can be told."""
_MIN_IOU = 0.2
_MAX_SIZE_RATIO = 3.0
"""Factor of size beyond which a face that does not overlap its prediction is another one."""


@dataclass(frozen=True, slots=True)
class TimedDetection:
    """A sighting with the time, in seconds, of the picture it was seen in."""

    time_s: float
    detection: Detection


@dataclass(frozen=True, slots=True)
class FollowedFace:
    """Where a track's face is at some time, not clipped to the frame, and what was seen of it at that very time."""

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
        return max(self.last_detections.values(), key=lambda seen: seen.time_s)

    def predict_box(self, detector: str, time_s: float, settings: FollowingSettings) -> Box:
        """Where a detector would see the face: judged by its own last sighting if it is recent, else by the newest."""
        own = self.last_detections.get(detector)
        newest = self.newest
        last = own if own is not None and newest.time_s - own.time_s <= settings.together else newest
        return _move_box(last.detection.box, self.speed, time_s - last.time_s, settings)

    def compute_match_cost(self, detector: str, timed: TimedDetection, settings: FollowingSettings) -> float | None:
        """How badly a sighting continues the track; None when it is of another face."""
        elapsed = abs(timed.time_s - self.newest.time_s)
        reach = min(settings.reach + settings.stride * elapsed, 2 * settings.reach)
        return _compute_cost(self.predict_box(detector, timed.time_s, settings), timed.detection.box, reach)

    def add_detection(self, detector: str, timed: TimedDetection, settings: FollowingSettings) -> None:
        before = self.last_detections.get(detector)
        self.last_detections[detector] = timed
        if before is None or timed.time_s - before.time_s < _MIN_STEP_S:
            return
        elapsed = timed.time_s - before.time_s
        (x, y), (old_x, old_y) = timed.detection.box.centre, before.detection.box.centre
        self.speed = tuple(
            speed + settings.agility * (way / elapsed - speed)
            for speed, way in zip(self.speed, (x - old_x, y - old_y), strict=True)
        )  # type: ignore[assignment]

    def locate_face(self, time_s: float, settings: FollowingSettings) -> FollowedFace:
        newest = self.newest
        recent = [seen for seen in self.last_detections.values() if newest.time_s - seen.time_s <= settings.together]
        boxes = [_cover_path(seen, time_s, self.speed, settings) for seen in recent]
        hull = boxes[0]
        for box in boxes[1:]:
            hull = hull.hull(box)
        now = tuple(seen.detection for _, seen in sorted(self.last_detections.items()) if seen.time_s == time_s)
        return FollowedFace(self.number, hull, now)


class Tracker:
    """The faces that are followed now. Serves one thread; times are seconds of the source's clock."""

    def __init__(self, settings: FollowingSettings) -> None:
        self._settings = settings
        self._tracks: list[_Track] = []
        self._track_count = 0

    def clear(self) -> None:
        """End all tracks."""
        self._tracks.clear()

    def add_detections(self, detector: str, time_s: float, detections: Sequence[Detection], confidence: float) -> None:
        """Take in what a detector saw at some time.

        Args:
            detector: its name.
            time_s: of the picture.
            detections: boxes in display pixels.
            confidence: least score with which a face begins to be followed; one that is followed already goes on with
                any score.
        """
        free = list(self._tracks)
        for sighting in sorted(detections, key=lambda sighting: -sighting.score):
            home = self._find_track(detector, time_s, sighting, free)
            if home is not None:
                free.remove(home)
            elif sighting.score >= confidence:
                home = self._start_track()
            if home is not None:
                home.add_detection(detector, TimedDetection(time_s, sighting), self._settings)

    def locate_faces(self, time_s: float) -> list[FollowedFace]:
        """Where the followed faces are; those not seen for too long are let go."""
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
    """How far a box is from what was expected, in face sides; None when it is another face."""
    iou = expected.iou(box)
    (x, y), (other_x, other_y) = expected.centre, box.centre
    distance = math.hypot(x - other_x, y - other_y) / math.sqrt(math.sqrt(expected.area * box.area))
    change = max(expected.area, box.area) / min(expected.area, box.area)
    near = distance <= reach and change <= _MAX_SIZE_RATIO**2
    return distance + 1.0 - iou if near or iou >= _MIN_IOU else None


def _move_box(box: Box, speed: tuple[float, float], elapsed_s: float, settings: FollowingSettings) -> Box:
    elapsed_s = max(-settings.travel, min(settings.travel, elapsed_s))
    x, y = speed[0] * elapsed_s, speed[1] * elapsed_s
    return Box(box.left + x, box.top + y, box.right + x, box.bottom + y)


def _cover_path(timed: TimedDetection, time_s: float, speed: tuple[float, float], settings: FollowingSettings) -> Box:
    """A sighting's box and the place it has moved to, both covered and grown."""
    elapsed = time_s - timed.time_s
    if elapsed == 0:
        return timed.detection.box
    box = timed.detection.box
    there = box.hull(_move_box(box, speed, elapsed, settings))
    side = max(box.width, box.height)
    way = math.hypot(*speed) * min(abs(elapsed), settings.travel)
    more = min(settings.growth * abs(elapsed) * side + settings.doubt * way, settings.limit * side)
    return Box(there.left - more, there.top - more, there.right + more, there.bottom + more)


def compute_covered_share(box: Box, masks: Sequence[Box]) -> float:
    """The largest share of a box that lies in one of the masks."""
    return max((box.intersection_area(mask) / box.area for mask in masks), default=0.0)
