"""Ends a process in which one step of native code does not come to an end.

A demuxer or decoder can loop for ever over a file that is damaged in the right way. Each step of FFmpeg is therefore
marked while it runs, and in a process that a file may cost a thread ends the process when a step takes too long. FFmpeg
gives Python's lock back while it works, so the thread gets its turn.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TypeVar

_Item = TypeVar("_Item")

STEP_LIMIT_S = 60
"""Longest time of one step. The slowest that was met, a frame of 8K on a busy machine, took 2 s."""
EXIT_STUCK = 124
"""Exit code of a process that was ended for this reason; `timeout` has the same."""
_TICK_S = 1.0
_READING_FACTOR = 10
"""How much longer a step may take that reads or writes on: to the next packet of one stream it may be gigabytes."""

_LEAST_MOVED_BYTES = 1 << 14
"""Bytes a tick that count as reading on; this thread reads the counters themselves."""

_serials = itertools.count(1)
_steps: dict[int, int] = {}
"""Number of the step that each thread is in. A dictionary, as reading and writing one entry needs no lock."""


class NativeStep:
    """Marks a step while the `with` block lasts; steps of one thread do not nest. It costs less than a microsecond."""

    __slots__ = ()

    def __enter__(self) -> None:
        _steps[threading.get_ident()] = next(_serials)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _steps.pop(threading.get_ident(), None)


NATIVE_STEP = NativeStep()
"""The one mark that is needed: it has no state of its own."""


def limit_steps(items: Iterator[_Item]) -> Iterator[_Item]:
    """Yield the items of an iterator, each of which takes a step of native code, such as a packet of a demuxer."""
    while True:
        with NATIVE_STEP:
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


def start_step_limit(limit_s: float = STEP_LIMIT_S) -> None:
    """Let a thread end this process, with `EXIT_STUCK`, as soon as one step takes longer than `limit_s`."""
    threading.Thread(target=_watch_steps, args=(limit_s,), name="step limit", daemon=True).start()


def _watch_steps(limit_s: float) -> None:
    seen: dict[int, tuple[int, int, int]] = {}
    moved = 0
    while True:
        time.sleep(_TICK_S)
        before, moved = moved, _count_moved_bytes()
        # Ticks are counted, not seconds: a process that was stopped for a while (Ctrl-Z) is not to blame.
        seen = {
            thread: _age_step(seen.get(thread, (0, 0, 0)), step, has_moved=moved - before > _LEAST_MOVED_BYTES)
            for thread, step in tuple(_steps.items())
        }
        if any(
            idle * _TICK_S >= limit_s or ticks * _TICK_S >= limit_s * _READING_FACTOR
            for _, ticks, idle in seen.values()
        ):
            sys.stderr.flush()
            # Not sys.exit: the thread that hangs would be waited for.
            os._exit(EXIT_STUCK)


def _age_step(seen: tuple[int, int, int], step: int, *, has_moved: bool) -> tuple[int, int, int]:
    """Return the number of a step, for how many ticks it was seen, and in how many at last nothing was read."""
    last_step, ticks, idle = seen
    if step != last_step:
        return step, 1, 1
    return step, ticks + 1, 1 if has_moved else idle + 1


def _count_moved_bytes() -> int:
    """Return how many bytes this process has read and written so far."""
    # The first two lines are rchar and wchar.
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()[:2]
    return sum(int(line.split()[1]) for line in lines)
