"""Fair use of a cluster by several passes at once, such as the files of a batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_RANGES_PER_SLOT = 2
"""Ranges that are submitted for each slot: one that runs, and one that is ready when the first is finished."""
_COUNT_INTERVAL_S = 2.0


class ClusterShares:
    """Says how many ranges each pass may have at the cluster.

    Args:
        count_slots: returns how many ranges the cluster detects at once, which may change.
    """

    def __init__(self, count_slots: Callable[[], int]) -> None:
        self._count_slots = count_slots
        self._lock = threading.Lock()
        self._passes = 0
        self._counted_at, self._slots = -_COUNT_INTERVAL_S, 0

    @contextmanager
    def take_part(self) -> Iterator[None]:
        """Count as a pass in the block."""
        with self._lock:
            self._passes += 1
        try:
            yield
        finally:
            with self._lock:
                self._passes -= 1

    @property
    def slots(self) -> int:
        """Number of ranges that the cluster detects at once; 0 while it has no worker."""
        with self._lock:
            # Each count is a question to the scheduler.
            if time.monotonic() >= self._counted_at + _COUNT_INTERVAL_S:
                self._slots, self._counted_at = self._count_slots(), time.monotonic()
            return self._slots

    @property
    def own_slots(self) -> int:
        """Number of slots that each pass has on average, at least 1."""
        return max(1, self.slots // max(1, self._passes))

    @property
    def max_submitted(self) -> int:
        """Greatest number of unfinished ranges of each pass."""
        return max(1, _RANGES_PER_SLOT * self.slots // max(1, self._passes))
