"""A process that works on the files of a batch, one after another, with the detectors loaded once.

Only `engine.batch.workers` starts it. A crash in native code on a broken file ends this process, and costs that file
alone.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from time import monotonic, sleep
from types import FrameType
from typing import BinaryIO

import msgspec

from engine.batch.job import BatchJob, FileReport, JobContext
from engine.batch.journal import open_journal
from engine.batch.protocol import (
    FailureReport,
    FinishedReport,
    NoticeReport,
    ProgressReport,
    StartMessage,
    TaskMessage,
    WorkerReport,
    decode_message,
)
from engine.batch.remote_job import perform_any_job
from engine.cluster.connection import connect_cluster
from engine.core.child_process import end_with_parent, frame_message, receive_message, take_over_pipes
from engine.detection.detector_reuse import DetectorReuse
from engine.detection.options import count_workers, plan_detectors
from engine.detectors.registry import select_remote
from engine.errors import ModelError, RunCancelledError, SourceBusyError, VeilError
from engine.isolation.expendable import begin_expendable_process
from engine.record import DetectOptions
from engine.storage.data_folder import DataFolder

_PROGRESS_INTERVAL_S = 0.1
"""Least number of seconds between two reports of progress; a person sees no more."""
_BUSY_INTERVAL_S = 0.5
"""Time between two attempts at a file whose content another process is detecting."""
_EXIT_INTERRUPTED = 130


class _ReportingListener:
    """Sends progress and notices to the batch."""

    def __init__(self, reports: BinaryIO) -> None:
        self._reports = reports
        self._stage, self._sent_at = "", float("-inf")

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Send the progress from time to time, and the start and end of each stage."""
        now = monotonic()
        if stage != self._stage or done == total or now - self._sent_at >= _PROGRESS_INTERVAL_S:
            self._stage, self._sent_at = stage, now
            _send_report(self._reports, ProgressReport(stage, done, total))

    def notice(self, message: str) -> None:
        """Send the sentence."""
        _send_report(self._reports, NoticeReport(message))


def main(lifeline: int) -> int:
    """Work on files until the batch closes its end; return the exit code.

    Args:
        lifeline: read end of a pipe; only the process of the batch has the other end.
    """
    end_with_parent(lifeline)
    begin_expendable_process()
    # The batch ends its processes with SIGTERM: scratch folders are removed, and detectors end in order.
    signal.signal(signal.SIGTERM, _raise_interrupt)
    tasks, reports = take_over_pipes()
    try:
        return _serve_batch(tasks, reports)
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED


def _serve_batch(tasks: BinaryIO, reports: BinaryIO) -> int:
    body = receive_message(tasks)
    if body is None:
        return 0
    start = decode_message(body, StartMessage)
    data = DataFolder(start.data)
    with ExitStack() as stack:
        journal = stack.enter_context(open_journal(start.folder))
        detectors = stack.enter_context(DetectorReuse(data.models))
        runner = stack.enter_context(connect_cluster(start.cluster))
        context = JobContext(
            start.folder, data, journal, detectors, _ReportingListener(reports), sources=start.sources,
            overwrite=start.overwrite, publish_url=start.publish_url, runner=runner,
        )  # fmt: skip
        for task in _receive_tasks(tasks):
            context.claimed_names.clear()
            context.claimed_names.update(task.claimed_names)
            try:
                report = _perform(task.job, context, start.processes)
            except (ModelError, RunCancelledError) as error:
                _send_report(reports, FailureReport(str(error), is_cancelled=isinstance(error, RunCancelledError)))
                return error.exit_code
            _send_report(reports, FinishedReport(report, context.claimed_names))
    return 0


def _perform(job: BatchJob, context: JobContext, processes: int) -> FileReport:
    """Do one file.

    Raises:
        ModelError: weights are missing or not the pinned ones, so that no file could be done.
        RunCancelledError: the user cancelled the batch.
    """
    try:
        # On a cluster, the workers there share its cores.
        detection = job.detection if context.runner else _share_cores(job.detection, processes)
        # Files side by side keep the cores busy; segments of one side by side would only take memory.
        rendering = job.rendering if processes == 1 else msgspec.structs.replace(job.rendering, jobs=1)
        return _perform_when_free(msgspec.structs.replace(job, detection=detection, rendering=rendering), context)
    # Without its models, or when the user cancels, each of the other files would end in the same way.
    except (ModelError, RunCancelledError):
        raise
    except VeilError as error:
        return report_failure(job, str(error))
    # A library that fails on a broken file in a way that nobody foresaw must not cost the other files.
    except Exception as error:  # noqa: BLE001
        return report_failure(job, f"{job.label} could not be anonymised: {type(error).__name__}: {error}")


def _perform_when_free(job: BatchJob, context: JobContext) -> FileReport:
    """Do one file; wait while another process detects the same content, which may be a copy in the same batch."""
    told = False
    while True:
        try:
            return perform_any_job(job, context)
        except SourceBusyError:
            if not told:
                context.listener.notice(f"{job.label} waits: a file with the same content is being detected.")
                told = True
            sleep(_BUSY_INTERVAL_S)


def report_failure(job: BatchJob, error: str) -> FileReport:
    """Build the report of a file that failed."""
    return FileReport(job.label, None, "failed", 0.0, error=error)


def _share_cores(options: DetectOptions, processes: int) -> DetectOptions:
    """Divide the cores among the processes, unless the user has chosen the number of workers."""
    plans = plan_detectors(options)
    # For a remote detector the option is the number of calls at once, which needs no core.
    if options.workers is not None or any(select_remote(plans)):
        return options
    return msgspec.structs.replace(options, workers=max(1, count_workers(options, plans) // processes))


def _receive_tasks(tasks: BinaryIO) -> Iterator[TaskMessage]:
    while (body := receive_message(tasks)) is not None:
        yield decode_message(body, TaskMessage)


def _send_report(reports: BinaryIO, report: WorkerReport) -> None:
    reports.write(frame_message(report))
    reports.flush()


def _raise_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    code = main(int(sys.argv[1]))
    sys.stderr.flush()
    os._exit(code)
