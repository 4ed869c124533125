"""Sentences about a process that a file has ended."""

from __future__ import annotations

import signal

from engine.core.step_limit import EXIT_STUCK, STEP_LIMIT_S

FILE_ADVICE = "Convert it to another format, or export it again"
"""What to do about a file."""


def is_crash(code: int) -> bool:
    """Return whether an exit code tells of a crash or a hang: the negative number of a signal, or that of the limit."""
    return code < 0 or code == EXIT_STUCK


def describe_crash(code: int, advice: str = FILE_ADVICE) -> str:
    """Return what is to be said of a source, after its name, when the process that read it has ended.

    Args:
        code: exit code of the process.
        advice: what to do, without a full stop.
    """
    if code == EXIT_STUCK:
        return (
            f"cannot be read: one step of decoding it had not come to an end after {STEP_LIMIT_S} s. {advice}, or "
            "check the disk that it is on"
        )
    if code == -signal.SIGKILL:
        return (
            "was being worked on when the system ended the program. If its memory ran out, close other programs or use "
            "fewer workers"
        )
    return f"cannot be read: it ends the program that reads it ({_name_end(code)}). {advice}"


def _name_end(code: int) -> str:
    if code >= 0:
        return f"exit {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
