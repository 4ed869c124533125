"""Which frames a live run takes in: as many as it can finish in time. Pure: no clock, no threads, no I/O.

A machine that is too slow for the frame rate must not queue frames. Each would wait longer than the one before, until
all of them miss their deadline and the whole picture is covered. It takes in fewer frames instead, and finishes those.
"""

from __future__ import annotations

from collections import deque

_WINDOW_FRAMES = 8
"""Frames over which the duration of a step is averaged: a third of a second at 25 frames/s."""


class FrameAdmission:
    """Decides whether a frame may wait behind others.

    Args:
        max_wait_s: seconds that a frame may wait for the frames before it.
        max_waiting: number of frames that may wait in any case.
    """

    def __init__(self, max_wait_s: float, max_waiting: int) -> None:
        self._max_wait_s, self._max_waiting = max_wait_s, max_waiting
        self._recent_s: dict[str, deque[float]] = {}

    def add_duration(self, step: str, seconds: float) -> None:
        """Take in how long a step took for one frame, without the time that it waited for other frames."""
        self._recent_s.setdefault(step, deque(maxlen=_WINDOW_FRAMES)).append(seconds)

    def admits(self, waiting: int) -> bool:
        """Return whether another frame may wait behind `waiting` frames."""
        if waiting == 0:
            return True
        # The steps work side by side, each on another frame, so the slowest one sets the pace.
        slowest_s = max((sum(recent) / len(recent) for recent in self._recent_s.values()), default=0.0)
        return waiting < self._max_waiting and waiting * slowest_s <= self._max_wait_s
