"""Converts time stamps of a source to those of the intermediate file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from engine.errors import RenderError


class TickConverter:
    """Converts time stamps of the source to ticks of the intermediate file, which start at zero and must rise.

    Attributes:
        tick: seconds that a tick lasts.
        first_pts: time stamp of the source that becomes zero; None until the first one is converted.
    """

    def __init__(self, time_base: Fraction, tick: Fraction, path: Path) -> None:
        self.tick = tick
        self.first_pts: int | None = None
        self._factor = time_base / tick
        self._last_ticks = -1
        self._path = path

    def to_ticks(self, pts: int) -> int:
        """Convert the next time stamp.

        Raises:
            RenderError: it does not rise, or rises by more than MOV can store.
        """
        if self.first_pts is None:
            self.first_pts = pts
        ticks = round((pts - self.first_pts) * self._factor)
        if ticks <= self._last_ticks:
            raise RenderError(f"The frame with pts {pts} does not come after the one before it in {self._path}.")
        # MOV stores the distance of two frames in 32 bits.
        if ticks - self._last_ticks >= 2**31:
            raise RenderError(f"The frame with pts {pts} comes too long after the one before it for {self._path}.")
        self._last_ticks = ticks
        return ticks
