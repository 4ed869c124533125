"""Runs cases in processes of their own, so that a crash, a hang or a lack of memory is a result and not an end."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.isolation.expendable import mark_expendable

LIMIT_S = 60.0
LIMIT_BYTES = 2 << 30
"""Memory that a case may use, of all processes of the examination the largest."""
_ADDRESS_SPACE = 16 << 30


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        number: of the case.
        problem: what was wrong, None if nothing was.
        answer: what the program said, in short.
        seconds: how long it took.
        peak_bytes: memory of the process so far, at its highest.
    """

    number: int
    problem: str | None
    answer: str
    seconds: float
    peak_bytes: int


Examine = Callable[[int], str]
"""Examines the case with a number: returns what the program said, raises for what it must not do."""


def run_cases(examine: Examine, numbers: Sequence[int], log: Path) -> Iterator[Outcome]:
    """Examine cases one after another in a forked process; after a crash or a hang, another process takes the rest."""
    left = list(numbers)
    while left:
        for outcome in _run_in_fork(examine, tuple(left), log):
            left.remove(outcome.number)
            yield outcome


def _run_in_fork(examine: Examine, numbers: Sequence[int], log: Path) -> Iterator[Outcome]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(examine, numbers, writing, log)
    os.close(writing)
    current: int | None = numbers[0]
    started = time.monotonic()
    with os.fdopen(reading, "rb") as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], LIMIT_S)
            line = pipe.readline() if ready else b""
            if not line:
                break
            message = json.loads(line)
            if "begins" in message:
                current, started = message["begins"], time.monotonic()
            elif "ends" in message:
                os.waitpid(child, 0)
                return
            else:
                current = None
                yield Outcome(**message)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if current is None:
        return  # it ended between two cases, so another process goes on with the rest
    seconds = time.monotonic() - started
    problem = f"hang over {LIMIT_S:.0f} s" if seconds >= LIMIT_S - 1 else f"crash ({_describe_status(status)})"
    yield Outcome(current, problem, log.read_text(errors="replace")[-2000:], seconds, 0)


def _describe_status(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit {os.waitstatus_to_exitcode(status)}"


def _work(examine: Examine, numbers: Sequence[int], writing: int, log: Path) -> None:
    """Examine the cases, report each on the pipe, and end this process."""
    code = 1
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # A crash of this process is the result; in another one it would be a sentence.
        mark_expendable()
        output = os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        for number in numbers:
            _send(writing, {"begins": number})
            started = time.monotonic()
            problem, answer = None, ""
            try:
                answer = examine(number)
            except BaseException:  # noqa: BLE001 - whatever it is, it is the result
                problem = traceback.format_exc(limit=-6)
            peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
            peak *= 1024
            if problem is None and peak > LIMIT_BYTES:
                problem = f"memory {peak >> 20} MiB"
            seconds = time.monotonic() - started
            _send(writing, Outcome(number, problem, answer, seconds, peak).__dict__)
            if peak > LIMIT_BYTES:
                break  # The highest use is that of the process, so the next case needs another one.
        _send(writing, {"ends": True})
        code = 0
    finally:
        os._exit(code)


def _send(pipe: int, message: dict[str, object]) -> None:
    os.write(pipe, json.dumps(message).encode() + b"\n")
