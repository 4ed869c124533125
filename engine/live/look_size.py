"""Choice of the size at which a detector looks, from how long its looks take. Pure: no clock, no threads, no I/O.

A detector that runs beside must answer in time, or the frames are covered whole. On a slow or busy machine it looks at
a smaller picture instead, which takes less time. The rule by which frames are judged stays the same: a frame that no
look vouches for is covered. A small look finds fewer small faces, so each change is logged and stated in words.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from engine.core.geometry import Size

LOOK_SIDES_PX = (640, 512, 416, 320, 256)
"""Longest sides of the looks, largest first. Each costs about two thirds of the one before."""
FACE_SIDE_IN_LOOK_PX = 24
"""Height of a face, hairline to chin, in pixels of the look, from which it is found as a rule; measured in
docs/guides/live.md."""

_WINDOW_LOOKS = 3
_SLOW_LOOKS = 2
"""Looks of the last `_WINDOW_LOOKS` that must be too slow for a smaller size: one slow look may be an accident."""
_ROOM = 0.8
"""Share of the budget that a smaller size is expected to take. The rest is for looks that take longer than usual."""
_CALM_SHARE = 0.5
"""Share of the budget that every look must be expected to take at the next larger size before that is tried."""
_CALM_S = 2.0
"""Seconds of looks for which that must hold: less than it takes on the clock, as it waits between looks."""
_MAX_CALM_S = 30.0
"""Upper limit of that duration, which doubles each time a larger size proves too slow at once."""


class LookSizeChange(NamedTuple):
    """Another size of the looks.

    Attributes:
        detector: name of the detector.
        number: number of the first frame whose look has the size.
        side_px: longest side of the pictures from now on.
        before_px: longest side up to now.
        look_ms: milliseconds that the looks took which led to the change.
    """

    detector: str
    number: int
    side_px: int
    before_px: int
    look_ms: int


class LookSizeController:
    """Picks the size of a detector's looks. The same times always give the same sizes.

    Args:
        sides_px: the longest sides to choose from, largest first.
        budget_s: seconds that a look may take.
    """

    def __init__(self, sides_px: Sequence[int], budget_s: float) -> None:
        self._sides_px, self._budget_s = tuple(sides_px), budget_s
        self._step = 0
        self._recent_s: deque[float] = deque(maxlen=_WINDOW_LOOKS)
        self._calm_s, self._needed_calm_s = 0.0, _CALM_S
        self._on_trial = False

    @property
    def side_px(self) -> int:
        """Longest side of the next look."""
        return self._sides_px[self._step]

    def add_look(self, side_px: int, seconds: float) -> bool:
        """Take in how long a look took; return True if the next one has another size.

        Args:
            side_px: longest side of the look.
            seconds: time from the picture to the answer.
        """
        if side_px != self.side_px:
            return False  # it was under way when the size changed
        self._recent_s.append(seconds)
        if sum(recent > self._budget_s for recent in self._recent_s) >= _SLOW_LOOKS:
            return self._choose_smaller()
        return self._try_larger(seconds)

    def _choose_smaller(self) -> bool:
        if self._step == len(self._sides_px) - 1:
            return False
        if self._on_trial:
            # The larger size was tried too early. Trying again and again would cover frames each time.
            self._needed_calm_s = min(_MAX_CALM_S, 2 * self._needed_calm_s)
        slow_s = sorted(self._recent_s)[-_SLOW_LOOKS]
        fitting = (
            step
            for step in range(self._step + 1, len(self._sides_px))
            if self._predict_s(slow_s, step) <= _ROOM * self._budget_s
        )
        self._change_step(next(fitting, len(self._sides_px) - 1), on_trial=False)
        return True

    def _try_larger(self, seconds: float) -> bool:
        if self._step == 0:
            return False
        if self._predict_s(seconds, self._step - 1) > _CALM_SHARE * self._budget_s:
            self._calm_s = 0.0
            return False
        self._calm_s += seconds
        if self._calm_s < self._needed_calm_s:
            return False
        if self._on_trial:
            # The last step up held for as long as was needed, so the next one need not wait longer than the first.
            self._needed_calm_s = _CALM_S
        self._change_step(self._step - 1, on_trial=True)
        return True

    def _predict_s(self, seconds: float, step: int) -> float:
        """Predict the time of a look at another size: it is proportional to the number of pixels."""
        return seconds * (self._sides_px[step] / self.side_px) ** 2

    def _change_step(self, step: int, *, on_trial: bool) -> None:
        self._step, self._on_trial, self._calm_s = step, on_trial, 0.0
        self._recent_s.clear()


def compute_smallest_face_px(side_px: int, frame: Size) -> int:
    """Return the side, in display pixels, of the smallest face that a look finds as a rule."""
    return math.ceil(FACE_SIDE_IN_LOOK_PX * max(1.0, frame.longest_side / side_px))


def describe_look_change(change: LookSizeChange, frame: Size) -> str:
    """Say in one sentence that and why the size of the looks changed, and which faces are no longer found."""
    face_px = compute_smallest_face_px(change.side_px, frame)
    if change.side_px < change.before_px:
        return (
            f"This machine is busy: {change.detector} looks at pictures of {change.side_px} pixels instead of "
            f"{change.before_px} (a look took {change.look_ms} ms). Faces under {face_px} pixels may not be found."
        )
    return (
        f"This machine has time again: {change.detector} looks at pictures of {change.side_px} pixels instead of "
        f"{change.before_px}. It finds faces from {face_px} pixels."
    )
