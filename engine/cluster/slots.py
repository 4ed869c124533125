"""The number of ranges that a cluster detects at once, which may change while it is used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_COUNT_INTERVAL_S = 2.0


class SlotCounter:
    """Counts the slots of a cluster from time to time, as each count is a question to the scheduler.

    Args:
        count: asks the scheduler.
    """

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._counted_at, self._slots = -_COUNT_INTERVAL_S, 0

    @property
    def slots(self) -> int:
        """Number of ranges that are detected at once; 0 while the cluster has no worker."""
        with self._lock:
            if time.monotonic() >= self._counted_at + _COUNT_INTERVAL_S:
                self._slots, self._counted_at = self._count(), time.monotonic()
            return self._slots
