"""Priority of a live run among the processes of the machine.

Decoding, masking, encoding and the detector that looks at every frame have deadlines. Where the system allows it, they
take precedence over work that has none; elsewhere nothing changes, and the run looks at smaller pictures sooner.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_RAISED_NICENESS = -10
"""Niceness of a live run: about nine times the share of an ordinary process, and far from stopping any."""
_MAX_NICENESS = 19


@contextmanager
def raised_priority() -> Iterator[None]:
    """Raise the priority of the calling thread, and of the threads and processes that it starts in the block.

    It needs the right to do so (root, CAP_SYS_NICE, or a limit for niceness); without it, nothing changes. On Linux,
    niceness belongs to a thread, so the other threads of a server keep theirs.
    """
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, min(before, _RAISED_NICENESS))
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


def lower_priority(pids: Sequence[int], steps: int) -> None:
    """Give processes that have just started, and the threads they will start, a lower priority than this thread.

    Each worker has a session of its own. With autogroup scheduling, Linux first divides the processor among sessions
    and applies niceness within a session only. So a worker's session gets the niceness of this one and the steps: more,
    if this thread was raised in its session, would let a worker take the processor from the run itself.
    """
    niceness = min(_MAX_NICENESS, os.getpriority(os.PRIO_PROCESS, 0) + steps)
    session = read_session_niceness(Path("/proc/self/autogroup"))
    for pid in pids:
        with suppress(OSError):  # the process has died, which the pool reports, or the system allows no priorities
            os.setpriority(os.PRIO_PROCESS, pid, niceness)
            if session is not None:
                Path(f"/proc/{pid}/autogroup").write_text(str(min(_MAX_NICENESS, session + steps)))


def read_session_niceness(autogroup: Path) -> int | None:
    """Return the niceness of a session from a process's `autogroup` file; None if sessions have no niceness.

    The file is missing in a kernel without autogroups, and empty if a control group took the process out of them.
    """
    words = autogroup.read_text().split() if autogroup.exists() else []
    return int(words[-1]) if words else None
