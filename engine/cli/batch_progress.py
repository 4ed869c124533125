"""The progress of a batch on a terminal: a bar for all files above that of the current one."""

from __future__ import annotations

from engine.batch.job import FileReport
from engine.cli.terminal import Terminal


class BatchProgress:
    """A `BatchListener` that shows two bars, and a line for each finished file."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Move the bar of the current file."""
        self._terminal.progress(stage, done, total)

    def notice(self, message: str) -> None:
        """Print a sentence."""
        self._terminal.notice(message)

    def file_started(self, number: int, total: int, source: str) -> None:
        """Name the file beside the bar of the batch."""
        self._terminal.show_overall(f"File {number} of {total}: {source.rpartition('/')[2]}", number - 1, total)

    def file_finished(self, number: int, total: int, report: FileReport) -> None:
        """Move the bar of the batch, and print what became of the file."""
        self._terminal.show_overall(f"File {number} of {total}", number, total)
        error = f": {report.error}" if report.error else ""
        self._terminal.notice(f"{number} of {total} {report.status}, {report.source}{error}")
