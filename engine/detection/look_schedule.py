"""The choice of the frames that local detectors look at, made while frames are read.

A frame is looked at if a new interval of time begins with it, on both sides of what may be a cut, and at the end. If
something appears in it that motion does not explain, the looks before and after it decide
(see `engine.detection.look_decision`).
What is decided here depends on the frame, the one before and the one after alone, so that an interrupted run goes on
with the same looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.media.frame import SourceFrame
from engine.record import ScheduleSettings, TrackingSettings
from engine.timeline.cuts import Thumbnail, measure_change

Grey = NDArray[np.uint8]
"""Brightness of an upright frame, scaled down; shape (rows, columns)."""

GREY_SIDE_PX = 960
"""Longest side of the grey pictures in which faces are carried: a face of 24 px of a 1080p frame has 12 px there."""
_CHANGE_SIDE_PX = 480
_MOTION_PX = 5
"""Distance by which a point may move between two frames at `_CHANGE_SIDE_PX` and still be explained."""
_REGION_PX = 5
"""Side of the squares in which the unexplained change is averaged, at `_CHANGE_SIDE_PX`."""
_MAX_CHANGES = 64
"""Number of places of change in a frame above which the whole picture counts as changed."""
_WHOLE_PICTURE = Box(0.0, 0.0, 1.0, 1.0)


class ScheduledFrame(NamedTuple):
    """One frame and what was decided about it.

    Attributes:
        frame: the frame.
        change: its change from the frame before (see `engine.timeline.cuts.measure_change`).
        looked: True if local detectors look at it in any case.
        grey: its grey picture. None: nothing is carried into it or from it.
        is_last: True if it is the last frame of the video.
        changes: places where something appears that motion does not explain, as shares of the picture's sides; empty
            if it is looked at in any case.
    """

    frame: SourceFrame
    change: float
    looked: bool
    grey: Grey | None
    is_last: bool = False
    changes: tuple[Box, ...] = ()


class _Draft(NamedTuple):
    frame: SourceFrame
    change: float
    is_due: bool
    grey: Grey | None
    changes: tuple[Box, ...] = ()


class LookSchedule:
    """Chooses the frames that are looked at.

    Args:
        settings: when to look. None: every frame is looked at, and no grey pictures are made.
        tracking: what may be a cut.
        time_base: seconds in a unit of the time stamps.
        first_frame: frame from which on decisions and grey pictures are needed; the one before it is compared with it.
        first_pts: time stamp of the first frame of the video. None: that of the first frame that comes.
    """

    def __init__(
        self,
        settings: ScheduleSettings | None,
        tracking: TrackingSettings,
        time_base: float,
        first_frame: int = 0,
        first_pts: int | None = None,
    ) -> None:
        # An interval of 0 is no schedule: every frame is looked at.
        self._settings = settings if settings and settings.interval_s else None
        self._tracking, self._time_base = tracking, time_base
        self._first_compared = first_frame - 1
        self._first_pts = first_pts
        self._interval = -1
        self._previous_thumbnail: Thumbnail | None = None
        self._previous_small: Grey | None = None

    def apply(self, frames: Iterator[SourceFrame]) -> Iterator[ScheduledFrame]:
        """Yield every frame with its decision, one frame later than it comes."""
        waiting: _Draft | None = None
        for frame in frames:
            draft = self._draft(frame)
            if waiting is not None:
                yield self._decide(waiting, after=draft)
            waiting = draft
        if waiting is not None:
            yield ScheduledFrame(waiting.frame, waiting.change, looked=True, grey=waiting.grey, is_last=True)

    def _draft(self, frame: SourceFrame) -> _Draft:
        """Measure a frame against the one before it."""
        is_due = self._begins_interval(frame)
        # Frames that an earlier attempt has finished are only decoded, except for what the frames after them need.
        if frame.index < self._first_compared:
            return _Draft(frame, 0.0, is_due, None)
        thumbnail = frame.luma_thumbnail()
        change = 0.0 if self._previous_thumbnail is None else measure_change(self._previous_thumbnail, thumbnail)
        self._previous_thumbnail = thumbnail
        grey = self._grey(frame)
        return _Draft(frame, change, is_due, grey, self._find_changes(grey))

    def _decide(self, draft: _Draft, after: _Draft) -> ScheduledFrame:
        # Half the threshold, as what `find_cuts` takes for a cut depends on frames that have not been read yet.
        least = self._tracking.cut_threshold / 2
        looked = draft.is_due or abs(draft.change) >= least or abs(after.change) >= least
        return ScheduledFrame(draft.frame, draft.change, looked, draft.grey, changes=() if looked else draft.changes)

    def _begins_interval(self, frame: SourceFrame) -> bool:
        if self._settings is None:
            return True
        # In time and not in frames: a pause in a stream with a variable frame rate needs a look after it.
        if self._first_pts is None:
            self._first_pts = frame.pts
        interval = int((frame.pts - self._first_pts) * self._time_base / self._settings.interval_s + 1e-6)
        begins = interval != self._interval
        self._interval = interval
        return begins

    def _grey(self, frame: SourceFrame) -> Grey | None:
        if self._settings is None:
            return None
        return frame.grey(GREY_SIDE_PX)

    def _find_changes(self, grey: Grey | None) -> tuple[Box, ...]:
        if grey is None or self._settings is None or self._settings.change == 0.0:
            return ()
        scale = min(1.0, _CHANGE_SIDE_PX / max(grey.shape))
        size = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        before, self._previous_small = self._previous_small, small
        return () if before is None else find_unexplained_changes(before, small, self._settings.change)


def find_unexplained_changes(before: Grey, after: Grey, least: float) -> tuple[Box, ...]:
    """Return the places, as shares of the sides, where a frame has changed by more than a small motion explains.

    A sample is explained if its value lies between the least and the greatest value around its place in the frame
    before.

    Args:
        before: the frame before.
        after: the frame, of the same shape.
        least: least local change in grey levels.
    """
    reach = np.ones((2 * _MOTION_PX + 1, 2 * _MOTION_PX + 1), dtype=np.uint8)
    brighter = cv2.subtract(after, cv2.dilate(before, reach))
    darker = cv2.subtract(cv2.erode(before, reach), after)
    local = cv2.blur(cv2.max(brighter, darker), (_REGION_PX, _REGION_PX))
    changed = (local >= least).astype(np.uint8)
    # Most frames have none, and looking for the places takes longer than this.
    if not changed.any():
        return ()
    count, _, places, _ = cv2.connectedComponentsWithStats(changed, connectivity=8)
    if count - 1 > _MAX_CHANGES:
        return (_WHOLE_PICTURE,)
    rows, columns = after.shape
    return tuple(
        Box(left / columns, top / rows, (left + width) / columns, (top + height) / rows)
        for left, top, width, height, _ in places[1:].tolist()
    )
