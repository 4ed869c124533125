"""Entry of the processes that work on the queue.

    python -m engine.jobs.worker_main DATA        do the queued runs, one after another
    python -m engine.jobs.worker_main DATA RUN WORKER
                                                  do one run for the worker with that process id, which has its lease

Messages go to standard error, which the queue redirects to a log file.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from engine import runs
from engine.cluster.connection import ClusterChoice
from engine.core.machine import find_host_name, process_start_ticks
from engine.core.progress import ProgressListener
from engine.errors import RunError, TargetError, VeilError
from engine.isolation.expendable import begin_expendable_process
from engine.jobs.leases import LEASE_S, Holder, LeaseTable, open_lease_table
from engine.jobs.queue import start_worker, work_through_queue
from engine.jobs.run_choice import is_takeable
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
        arguments: the data folder; for one run, also its identifier and the worker's process id.
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
            _, run_id, worker = arguments
            begin_expendable_process()
            with _keep_lease(data, run_id, int(worker)) as is_held:
                if is_held:
                    _perform_queued_run(data, run_id, listener)
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
def _keep_lease(data: DataFolder, run_id: str, worker: int) -> Iterator[bool]:
    """Take the lease over from the worker and renew it while the block lasts, which then depends on the worker no more.

    Args:
        data: the data folder.
        run_id: the run.
        worker: process id of the worker.

    Yields:
        False if the worker does not hold the lease.
    """
    this, before = Holder.this_process(), Holder(find_host_name(), worker, process_start_ticks(worker) or 0)
    ended = threading.Event()
    with open_lease_table(data) as table:
        is_held = table.hand_over(run_id, before, this)
        renewal = threading.Thread(target=_renew_lease, args=(table, run_id, this, ended), name="lease", daemon=True)
        renewal.start()
        try:
            yield is_held
        finally:
            ended.set()
            renewal.join()
            # A process whose parent has ended gets another one. The queue then has to go on without the worker.
            if is_held and os.getppid() != worker:
                table.release(run_id, this.host)
                start_worker(data)


def _renew_lease(table: LeaseTable, run_id: str, holder: Holder, ended: threading.Event) -> None:
    """Renew the lease until the run has ended; interrupt the run if another machine has taken it."""
    renewed_at = time.monotonic()
    while not ended.wait(LEASE_S / 6):
        try:
            is_held = table.renew(run_id, holder)
        except TargetError as error:
            # A database that restarts is no reason to end the run, unless it stays away for longer than the lease.
            sys.stderr.write(f"veil: {error}\n")
            is_held = time.monotonic() - renewed_at < LEASE_S
        else:
            renewed_at = time.monotonic()
        if not is_held:
            # Two processes must not write into the folder of one run.
            os.kill(os.getpid(), signal.SIGTERM)
            return


def _perform_queued_run(data: DataFolder, run_id: str, listener: ProgressListener) -> None:
    run = runs.load_run(data, run_id)
    # Between the queue's look at the register and this line, a person may have cancelled the run. A cancelled run must
    # not start, and its status is then already right.
    if not is_takeable(run, find_host_name()):
        listener.notice(f"The run {run_id} is {run.status} and was not started.")
        return
    listener.notice(f"Run {run_id}")
    # From the environment of the server, as `veil.toml` is read by the command line alone.
    perform_run(data, run, listener, ClusterChoice(scheduler=os.environ.get("VEIL_SCHEDULER") or None))


def _raise_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
