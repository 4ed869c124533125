"""Work through the files of a batch, one after another; a file that fails never stops the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import msgspec

from engine.batch.job import BatchJob, FileReport, JobContext, Status
from engine.batch.remote_job import perform_any_job
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import CheckFailedError, ModelError, RunCancelledError, VeilError
from engine.record import Document


class BatchListener(ProgressListener, Protocol):
    """Receives the progress of the current file, and that of the whole batch."""

    def file_started(self, number: int, total: int, source: str) -> None:
        """Report that file `number` of `total`, counted from 1, is started."""

    def file_finished(self, number: int, total: int, report: FileReport) -> None:
        """Report what became of a file."""


class SilentBatchListener(SilentListener):
    """A listener that ignores everything."""

    def file_started(self, number: int, total: int, source: str) -> None:
        """Ignore the report."""

    def file_finished(self, number: int, total: int, report: FileReport) -> None:
        """Ignore the report."""


class BatchReport(Document, frozen=True):
    """What became of the files of a batch.

    Attributes:
        folder: the output folder.
        files: a report for each file, in the order in which they were worked on.
    """

    folder: str
    files: tuple[FileReport, ...]

    def count(self) -> dict[Status, int]:
        """Count the files by what became of them."""
        return dict(Counter(file.status for file in self.files))

    @property
    def exit_code(self) -> int:
        """Return 1 if a file failed, else 3 if a check failed, else 0."""
        counts = self.count()
        if counts.get("failed"):
            return VeilError.exit_code
        return CheckFailedError.exit_code if counts.get("check failed") else 0


class Batch:
    """A batch in progress: works through jobs, and remembers what became of each.

    Attributes:
        is_in_file: a file was started and is not finished, so an interruption leaves it unfinished.

    Args:
        context: what the files have in common.
        listener: gets the progress of the whole batch.
        max_cost: US dollars that calls to remote detectors may cost in the whole batch. None: unlimited.
    """

    def __init__(
        self, context: JobContext, listener: BatchListener | None = None, max_cost: float | None = None
    ) -> None:
        self._context, self._listener = context, listener or SilentBatchListener()
        self._max_cost, self._spent = max_cost, 0.0
        self._reports: list[FileReport] = []
        self.is_in_file = False

    @property
    def report(self) -> BatchReport:
        """What became of the files so far."""
        return BatchReport(str(self._context.folder), tuple(self._reports))

    def work(self, jobs: Sequence[BatchJob]) -> None:
        """Work through the jobs. The detectors stay loaded from one file to the next with the same options.

        Raises:
            ModelError: weights are missing or not the pinned ones, so that no file could be done.
            RunCancelledError: the user cancelled the batch.
        """
        for number, job in enumerate(jobs, start=1):
            self._listener.file_started(number, len(jobs), job.label)
            self.is_in_file = True
            report = self._perform(job)
            self._spent += report.cost
            self._reports.append(report)
            self.is_in_file = False
            self._listener.file_finished(number, len(jobs), report)

    def _perform(self, job: BatchJob) -> FileReport:
        if self._max_cost is not None:
            left = max(0.0, self._max_cost - self._spent)
            job = msgspec.structs.replace(job, detection=msgspec.structs.replace(job.detection, max_cost=left))
        try:
            return perform_any_job(job, self._context)
        # Without its models, or when the user cancels, each of the other files would end in the same way.
        except (ModelError, RunCancelledError):
            raise
        except VeilError as error:
            return _report_failure(job, str(error))
        # A library that fails on a broken file in a way that nobody foresaw must not cost the other files.
        except Exception as error:  # noqa: BLE001
            return _report_failure(job, f"{job.label} could not be anonymised: {type(error).__name__}: {error}")


def _report_failure(job: BatchJob, error: str) -> FileReport:
    return FileReport(job.label, None, "failed", 0.0, error=error)
