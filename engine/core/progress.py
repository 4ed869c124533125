"""The interface through which long work reports progress; a listener is optional."""

from __future__ import annotations

from typing import Protocol


class ProgressListener(Protocol):
    """Receives progress reports.

    Its methods are called often, in the thread that does the work. An exception that they raise ends the work.
    """

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Report that `done` of `total` frames (None: unknown) of a stage are finished.

        Stages are "probe", "detect", "render", "verify", "copy" and the like.
        """

    def notice(self, message: str) -> None:
        """Report one sentence that a person should read; the work continues."""


class SilentListener:
    """A listener that ignores everything."""

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Ignore the report."""

    def notice(self, message: str) -> None:
        """Ignore the report."""
