"""The processes of an attempt, which are told by their folder for temporary files."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import NamedTuple


class FoundProcess(NamedTuple):
    """A living process: its id, and its command line."""

    pid: int
    command: str


def find_processes(place: Path) -> list[FoundProcess]:
    """Find all living processes of an attempt, whichever session they belong to."""
    mark = f"TMPDIR={place / 'temporary'}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        # A process may end while it is looked at; one that has ended and was not waited for has no environment.
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(FoundProcess(int(entry.name), command))
    return found


def kill_processes(place: Path, *words: str) -> int:
    """Kill the processes of an attempt whose command line contains one of the words (all, if none is given)."""
    killed = 0
    for process in find_processes(place):
        if not words or any(word in process.command for word in words):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
                killed += 1
    return killed
