"""Tells whether this process may be lost: then it decodes files itself, and no further process is started for that."""

from __future__ import annotations

import os

from engine.core.step_limit import start_step_limit

_VARIABLE = "VEIL_EXPENDABLE_PROCESS"
"""Holds the id of the process that it is about, so that processes which inherit it are not meant."""


def mark_expendable() -> None:
    """Say that whoever started this process turns its end into a sentence."""
    os.environ[_VARIABLE] = str(os.getpid())


def begin_expendable_process() -> None:
    """Do as `mark_expendable`, and end this process when a step of native code does not come to an end."""
    mark_expendable()
    start_step_limit()


def is_expendable() -> bool:
    """Return whether this process may be lost."""
    return os.environ.get(_VARIABLE) == str(os.getpid())
