"""How many files of a batch this machine can work on at the same time."""

from __future__ import annotations

import os
from pathlib import Path

_PROCESS_BYTES = 3 << 30
"""Memory that a file may need with its detectors: a frame of 4K takes 25 MB, and some dozens are under way."""


def choose_process_count() -> int:
    """Choose the number of files at the same time: one for each core, and no more than the free memory allows."""
    return max(1, min(len(os.sched_getaffinity(0)), _read_free_bytes() // _PROCESS_BYTES))


def _read_free_bytes() -> int:
    """Return the memory that programs can still get, in bytes."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return min(int(value.split()[0]) << 10, _read_limit_bytes())
    return _read_limit_bytes()


def _read_limit_bytes() -> int:
    """Return the memory that the container of this process may have; very much if there is no limit."""
    try:
        return int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 1 << 60
