"""Work through the files of a batch, several at a time; a file that fails never stops the rest."""

from __future__ import annotations

import selectors
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from engine.batch.job import BatchJob, FileReport, Status
from engine.batch.pending import PendingJobs
from engine.batch.protocol import FailureReport, FinishedReport, NoticeReport, ProgressReport, StartMessage, TaskMessage
from engine.batch.worker import report_failure
from engine.batch.workers import FileWorker, end_file_workers
from engine.core.closeable import Closeable
from engine.errors import CheckFailedError, ModelError, RunCancelledError, VeilError
from engine.record import Document


class BatchListener(Protocol):
    """Receives the progress of a batch. Files are told apart by their number, counted from 1."""

    def file_started(self, number: int, total: int, source: str) -> None:
        """Report that file `number` of `total` is started."""

    def file_progress(self, number: int, report: ProgressReport) -> None:
        """Report the progress of a file that was started."""

    def file_finished(self, number: int, total: int, report: FileReport) -> None:
        """Report what became of a file."""

    def notice(self, message: str) -> None:
        """Report one sentence that a person should read."""


class SilentBatchListener:
    """A listener that ignores everything."""

    def file_started(self, number: int, total: int, source: str) -> None:
        """Ignore the report."""

    def file_progress(self, number: int, report: ProgressReport) -> None:
        """Ignore the report."""

    def file_finished(self, number: int, total: int, report: FileReport) -> None:
        """Ignore the report."""

    def notice(self, message: str) -> None:
        """Ignore the report."""


class BatchReport(Document, frozen=True):
    """What became of the files of a batch.

    Attributes:
        folder: the output folder.
        files: a report for each file, in the order in which they were listed.
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


class Batch(Closeable):
    """A batch in progress: hands jobs to processes, and remembers what became of each.

    The processes stay, and their detectors stay loaded, from one call of `work` to the next. Use as a context manager,
    while `hold_output_folder` holds the folder.

    Attributes:
        workers: the processes that live.

    Args:
        start: what the files have in common, and the number of processes.
        listener: gets the progress of the whole batch.
        max_cost: US dollars that calls to remote detectors may cost in the whole batch. None: unlimited.
    """

    def __init__(
        self, start: StartMessage, listener: BatchListener | None = None, max_cost: float | None = None
    ) -> None:
        self._start, self._listener = start, listener or SilentBatchListener()
        self._max_cost, self._spent = max_cost, 0.0
        # What one file has cost is known when it is finished, so a limit holds only for one file at a time.
        self._process_count = start.processes if max_cost is None else 1
        self.workers: list[FileWorker] = []
        self._selector = selectors.DefaultSelector()
        self._claimed_names: dict[str, Path] = {}
        self._reports: list[FileReport] = []
        self._new_reports: dict[int, FileReport] = {}

    @property
    def is_in_file(self) -> bool:
        """A file was started and is not finished, so an interruption leaves it unfinished."""
        return any(worker.number is not None for worker in self.workers)

    @property
    def report(self) -> BatchReport:
        """What became of the files so far."""
        new = (self._new_reports[number] for number in sorted(self._new_reports))
        return BatchReport(str(self._start.folder), (*self._reports, *new))

    def work(self, jobs: Sequence[BatchJob]) -> None:
        """Work through the jobs.

        Raises:
            ModelError: weights are missing or not the pinned ones, so that no file could be done.
            RunCancelledError: the user cancelled the batch.
        """
        self._reports, self._new_reports = list(self.report.files), {}
        pending = PendingJobs(jobs, self._claimed_names)
        while True:
            self._hand_out(pending)
            if not self.is_in_file:
                return
            # Once for each process, although it has two pipes: after a crash it is closed.
            for worker in {key.data for key, _ in self._selector.select()}:
                self._receive(pending, worker)

    def close(self) -> None:
        """End the processes; those that work on a file are interrupted."""
        workers, self.workers = self.workers, []
        end_file_workers(workers)
        self._selector.close()

    def _hand_out(self, pending: PendingJobs) -> None:
        """Give a file to each process that has nothing to do, and start processes while there are more files."""
        while (worker := self._find_idle(pending)) is not None and (taken := pending.take()) is not None:
            number, job = taken
            self._listener.file_started(number + 1, pending.total, job.label)
            worker.send_task(number, TaskMessage(self._limit_cost(job), pending.find_claims(job)))

    def _find_idle(self, pending: PendingJobs) -> FileWorker | None:
        idle = next((worker for worker in self.workers if worker.number is None), None)
        if idle is not None or len(self.workers) >= self._process_count or not pending.can_take():
            return idle
        worker = FileWorker(self._start)
        self.workers.append(worker)
        self._selector.register(worker.stdout, selectors.EVENT_READ, worker)
        self._selector.register(worker.stderr, selectors.EVENT_READ, worker)
        return worker

    def _limit_cost(self, job: BatchJob) -> BatchJob:
        if self._max_cost is None:
            return job
        left = max(0.0, self._max_cost - self._spent)
        return msgspec.structs.replace(job, detection=msgspec.structs.replace(job.detection, max_cost=left))

    def _receive(self, pending: PendingJobs, worker: FileWorker) -> None:
        worker.read_stderr()
        try:
            for report in worker.receive_reports():
                match report:
                    case ProgressReport():
                        self._listener.file_progress(_number(worker) + 1, report)
                    case NoticeReport():
                        self._listener.notice(report.message)
                    case FinishedReport():
                        self._finish(pending, worker, report)
                    case FailureReport(is_cancelled=True):
                        raise RunCancelledError(report.message)
                    case FailureReport():
                        raise ModelError(report.message)
        except EOFError as end:
            self._replace(pending, worker, str(end))

    def _finish(self, pending: PendingJobs, worker: FileWorker, finished: FinishedReport) -> None:
        number, worker.number = _number(worker), None
        pending.finish(number, finished.claimed_names)
        self._spent += finished.report.cost
        self._new_reports[number] = finished.report
        self._listener.file_finished(number + 1, pending.total, finished.report)

    def _replace(self, pending: PendingJobs, worker: FileWorker, how: str) -> None:
        """Account for a process that has crashed: its file failed, and the next file gets a new process."""
        for stream in (worker.stdout, worker.stderr):
            self._selector.unregister(stream)
        self.workers.remove(worker)
        end_file_workers([worker])
        if worker.number is None:
            return
        job = pending.jobs[worker.number]
        failed = report_failure(job, f"The process that worked on {job.label} {how}; run the batch again for it.")
        self._finish(pending, worker, FinishedReport(failed, {}))


def _number(worker: FileWorker) -> int:
    assert worker.number is not None, "only a process that works on a file reports"
    return worker.number
