"""How long work tells a listener how far it is; no listener is needed."""

from __future__ import annotations

from typing import Protocol


class ProgressListener(Protocol):
    """Hears of progress. Called often, from the thread that does the work; an exception it raises ends the work."""

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """`done` of `total` frames (None while unknown) of `stage` ("detect", "render", "verify") are finished."""

    def notice(self, message: str) -> None:
        """One sentence that a person should read; the work goes on."""


class SilentListener:
    """Listens to nothing."""

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Ignore it."""

    def notice(self, message: str) -> None:
        """Ignore it."""
