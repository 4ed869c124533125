"""The progress of a batch on a terminal: a bar for all files above one for each that is worked on."""

from __future__ import annotations

from engine.batch.job import FileReport
from engine.batch.protocol import ProgressReport
from engine.cli.terminal import Terminal


class BatchProgress:
    """A `BatchListener` that shows bars, and a line for each finished file."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._names: dict[int, str] = {}
        self._finished = self._total = 0

    def file_started(self, number: int, total: int, source: str) -> None:
        """Remember the name for the bar of the file, and show how far the batch is."""
        # With --watch, files that arrive later are counted anew.
        if total != self._total or self._finished == total:
            self._finished, self._total = 0, total
        self._names[number] = source.rpartition("/")[2]
        self._show_overall()

    def file_progress(self, number: int, report: ProgressReport) -> None:
        """Move the bar of the file."""
        self._terminal.show_file(number, self._names[number], report.stage, report.done, report.total)

    def file_finished(self, number: int, total: int, report: FileReport) -> None:
        """Move the bar of the batch, and print what became of the file."""
        self._finished += 1
        del self._names[number]
        self._terminal.hide_file(number)
        self._show_overall()
        error = f": {report.error}" if report.error else ""
        self._terminal.notice(f"{self._finished} of {total} {report.status}, {report.source}{error}")

    def notice(self, message: str) -> None:
        """Print a sentence."""
        self._terminal.notice(message)

    def _show_overall(self) -> None:
        self._terminal.show_overall(f"{self._finished} of {self._total} files", self._finished, self._total)
