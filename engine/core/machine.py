"""This machine and the processes on it."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def find_host_name() -> str:
    """Return the name by which machines that share a data folder tell each other apart."""
    return platform.node()


def process_start_ticks(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # The second field is the command in brackets, which may itself contain spaces and brackets: split after the last.
    fields = stat.rpartition(")")[2].split()
    # A process that has ended but was not waited for is a zombie (Z, X): it works on nothing any more.
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def current_process() -> tuple[int, int | None]:
    """Return pid and start of this process."""
    return os.getpid(), process_start_ticks(os.getpid())
