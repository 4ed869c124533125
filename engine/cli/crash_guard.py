"""Runs a verb in a process of its own, so that a crash in native code ends in a sentence.

FFmpeg and the libraries of the detectors are native code that reads files from outside. No library is free of faults
that a damaged or hostile file can trigger, and such a fault ends the whole process. The process that the user started
therefore only waits; a copy of it, forked before anything is loaded, does the work. Forking costs about a millisecond.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

from engine.isolation.expendable import begin_expendable_process

_PR_SET_PDEATHSIG = 1


def run_guarded(work: Callable[[], int]) -> int:
    """Run `work` in a forked process and return its exit code; the negative number of the signal that ended it.

    Ctrl-C reaches both processes and only `work` answers to it; SIGTERM is passed on. If this process is killed, so is
    the other one.
    """
    # What is buffered here would be written twice.
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        _end_with_parent(parent)
        begin_expendable_process()
        return work()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        os.kill(child, number)

    signal.signal(signal.SIGTERM, pass_on)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _end_with_parent(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the kernel was asked.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
