"""Entry of the processes that work on the queue.

    python -m engine.jobs.worker_main DATA        do the queued runs, one after another
    python -m engine.jobs.worker_main DATA RUN WORKER LOCK
                                                  do one queued run for the worker with that process id, whose lock of
                                                  the queue has that descriptor

Messages go to standard error, which the queue redirects to a log file.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from engine import runs
from engine.core.progress import ProgressListener
from engine.errors import RunError, VeilError
from engine.jobs.queue import succeed_worker, work_through_queue
from engine.jobs.worker import perform_run
from engine.storage.data_folder import DataFolder
from engine.storage.scratch import sweep_data_folder

_EXIT_INTERRUPTED = 130


class _LogListener(ProgressListener):
    """Writes notices to standard error; progress is in the state of the run."""

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Ignore it: `RunStateWriter` writes it to the run's folder."""

    def notice(self, message: str) -> None:
        """Write the message as one line."""
        sys.stderr.write(f"veil: {message}\n")


def main(arguments: list[str]) -> int:
    """Do what the module docstring says; return the exit code.

    Args:
        arguments: the data folder; for one run, also its identifier, the worker's process id and its lock.
    """
    # As for `veil run`: SIGTERM unwinds the stack, so that scratch folders are removed and detectors end in order.
    signal.signal(signal.SIGTERM, _raise_interrupt)
    listener = _LogListener()
    data = DataFolder(Path(arguments[0]))
    try:
        if len(arguments) == 1:
            sweep_data_folder(data.root)
            work_through_queue(data)
        else:
            with _stand_in_for_worker(data, int(arguments[2]), int(arguments[3])):
                _perform_queued_run(data, arguments[1], listener)
    except VeilError as error:
        listener.notice(_omit_source_name(data, arguments[1:], str(error)))
        return error.exit_code
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    return 0


def _omit_source_name(data: DataFolder, run_ids: list[str], message: str) -> str:
    """Return the message without the name of the run's source, which must not be in a log that outlives it."""
    try:
        return runs.omit_source_name(runs.load_run(data, run_ids[0]).request.source, message) if run_ids else message
    except RunError:
        return message


@contextmanager
def _stand_in_for_worker(data: DataFolder, worker: int, lock_descriptor: int) -> Iterator[None]:
    """Let the queue go on after this run, also if its worker was killed meanwhile."""
    try:
        yield
    finally:
        # A process whose parent has ended gets another one.
        if os.getppid() != worker:
            succeed_worker(data, lock_descriptor)


def _perform_queued_run(data: DataFolder, run_id: str, listener: ProgressListener) -> None:
    run = runs.load_run(data, run_id)
    # Between the queue's look at the register and this line, a person may have cancelled the run. A cancelled run must
    # not start, and its status is then already right.
    if run.status != "queued":
        listener.notice(f"The run {run_id} is {run.status} and was not started.")
        return
    listener.notice(f"Run {run_id}")
    perform_run(data, run, listener)


def _raise_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
