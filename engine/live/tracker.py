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
from engine.detectors.base import Sighting
from engine.live.settings import Following

_LEAST_STEP = 0.005
"""Seconds between two sightings from which a speed can be told."""
_LEAST_IOU = 0.2
_LARGEST_CHANGE = 3.0
"""Factor of size beyond which a face that does not overlap its prediction is another one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting with the time, in seconds, of the picture it was seen in."""

    time: float
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a track's face is at some time, not clipped to the frame, and what was seen of it at that very time."""

    number: int
    box: Box
    now: tuple[tuple[str, Sighting], ...]


@dataclass(slots=True)
class _Track:
    number: int
    speed: tuple[float, float] = (0.0, 0.0)
    seen: dict[str, Seen] = field(default_factory=dict)

    @property
    def newest(self) -> Seen:
        return max(self.seen.values(), key=lambda seen: seen.time)

    def expected(self, detector: str, time: float, settings: Following) -> Box:
        """Where a detector would see the face: judged by its own last sighting if it is recent, else by the newest."""
        own = self.seen.get(detector)
        newest = self.newest
        last = own if own is not None and newest.time - own.time <= settings.together else newest
        return _moved(last.sighting.box, self.speed, time - last.time, settings)

    def cost(self, detector: str, seen: Seen, settings: Following) -> float | None:
        """How badly a sighting continues the track; None when it is of another face."""
        elapsed = abs(seen.time - self.newest.time)
        reach = min(settings.reach + settings.stride * elapsed, 2 * settings.reach)
        return _cost(self.expected(detector, seen.time, settings), seen.sighting.box, reach)

    def take(self, detector: str, seen: Seen, settings: Following) -> None:
        before = self.seen.get(detector)
        self.seen[detector] = seen
        if before is None or seen.time - before.time < _LEAST_STEP:
            return
        elapsed = seen.time - before.time
        (x, y), (old_x, old_y) = seen.sighting.box.centre, before.sighting.box.centre
        self.speed = tuple(
            speed + settings.agility * (way / elapsed - speed)
            for speed, way in zip(self.speed, (x - old_x, y - old_y), strict=True)
        )  # type: ignore[assignment]

    def at(self, time: float, settings: Following) -> Followed:
        newest = self.newest
        recent = [seen for seen in self.seen.values() if newest.time - seen.time <= settings.together]
        boxes = [_covering(seen, time, self.speed, settings) for seen in recent]
        hull = boxes[0]
        for box in boxes[1:]:
            hull = hull.hull(box)
        now = tuple((name, seen.sighting) for name, seen in sorted(self.seen.items()) if seen.time == time)
        return Followed(self.number, hull, now)


class Tracks:
    """The faces that are followed now. Serves one thread; times are seconds of the source's clock."""

    def __init__(self, settings: Following) -> None:
        self._settings = settings
        self._tracks: list[_Track] = []
        self._count = 0

    def forget(self) -> None:
        """End all tracks."""
        self._tracks.clear()

    def see(self, detector: str, time: float, sightings: Sequence[Sighting], confidence: float) -> None:
        """Take in what a detector saw at some time.

        Args:
            detector: its name.
            time: of the picture.
            sightings: boxes in display pixels.
            confidence: least score with which a face begins to be followed; one that is followed already goes on with
                any score.
        """
        free = list(self._tracks)
        for sighting in sorted(sightings, key=lambda sighting: -sighting.score):
            home = self._home(detector, time, sighting, free)
            if home is not None:
                free.remove(home)
            elif sighting.score >= confidence:
                home = self._begun()
            if home is not None:
                home.take(detector, Seen(time, sighting), self._settings)

    def faces(self, time: float) -> list[Followed]:
        """Where the followed faces are; those not seen for too long are let go."""
        self._tracks = [track for track in self._tracks if time - track.newest.time <= self._settings.hold]
        return [track.at(time, self._settings) for track in self._tracks]

    def _home(self, detector: str, time: float, sighting: Sighting, free: Sequence[_Track]) -> _Track | None:
        costs = [
            (cost, track.number, track)
            for track in free
            if (cost := track.cost(detector, Seen(time, sighting), self._settings)) is not None
        ]
        return min(costs, key=lambda entry: entry[:2])[2] if costs else None

    def _begun(self) -> _Track:
        track = _Track(self._count)
        self._count += 1
        self._tracks.append(track)
        return track


def _cost(expected: Box, box: Box, reach: float) -> float | None:
    """How far a box is from what was expected, in face sides; None when it is another face."""
    iou = expected.iou(box)
    (x, y), (other_x, other_y) = expected.centre, box.centre
    distance = math.hypot(x - other_x, y - other_y) / math.sqrt(math.sqrt(expected.area * box.area))
    change = max(expected.area, box.area) / min(expected.area, box.area)
    near = distance <= reach and change <= _LARGEST_CHANGE**2
    return distance + 1.0 - iou if near or iou >= _LEAST_IOU else None


def _moved(box: Box, speed: tuple[float, float], elapsed: float, settings: Following) -> Box:
    elapsed = max(-settings.travel, min(settings.travel, elapsed))
    x, y = speed[0] * elapsed, speed[1] * elapsed
    return Box(box.left + x, box.top + y, box.right + x, box.bottom + y)


def _covering(seen: Seen, time: float, speed: tuple[float, float], settings: Following) -> Box:
    """A sighting's box and the place it has moved to, both covered and grown."""
    elapsed = time - seen.time
    if elapsed == 0:
        return seen.sighting.box
    box = seen.sighting.box
    there = box.hull(_moved(box, speed, elapsed, settings))
    side = max(box.width, box.height)
    way = math.hypot(*speed) * min(abs(elapsed), settings.travel)
    more = min(settings.growth * abs(elapsed) * side + settings.doubt * way, settings.limit * side)
    return Box(there.left - more, there.top - more, there.right + more, there.bottom + more)


def covered_share(box: Box, masks: Sequence[Box]) -> float:
    """The largest share of a box that lies in one of the masks."""
    return max((box.overlap(mask) / box.area for mask in masks), default=0.0)
