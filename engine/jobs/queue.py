"""The queue: runs that wait, and the worker processes that take them.

The queue has no list of its own: a run waits if its state says so. A worker takes a run by a lease, in a database that
all workers share (see `engine.jobs.leases`), and hands the lease to the process of the run, which renews it. So no run
is done twice, and what a killed process, or a dead machine, had taken is taken up again. A worker ends when there is
nothing that it may take; adding a run starts a worker.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from engine import runs
from engine.access import Person, authorise
from engine.access.run_context import RunContext
from engine.core.machine import find_host_name
from engine.core.python_process import build_child_environment, build_module_command
from engine.core.step_limit import EXIT_STUCK
from engine.detection.options import plan_detectors
from engine.errors import SourceError
from engine.isolation.crash import describe_crash
from engine.jobs.cases import PRIORITIES, Case, read_case
from engine.jobs.leases import Holder, Lease, LeaseTable, open_lease_table
from engine.jobs.queue_settings import QueueSettings, read_queue_settings
from engine.jobs.requests import NO_SUBMISSION, Submission, build_run_request, log_run_event
from engine.jobs.run_choice import choose_run, find_abandoned
from engine.record import DetectOptions, encode_document
from engine.runs import Run, RunFolder, RunState
from engine.storage.data_folder import DataFolder
from engine.storage.files import make_private_folder, write_file

_CRASH_SIGNALS = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL})
"""What native code ends a process with that a file has led astray."""


def submit_run(
    data: DataFolder, by: Person, source: Path, options: DetectOptions, submission: Submission = NO_SUBMISSION
) -> RunFolder:
    """Add a new run to the queue and make sure that a worker works on the queue.

    Args:
        data: the data folder.
        by: the person who starts the run.
        source: the video.
        options: options of the detection.
        submission: what else is known about it.

    Raises:
        AccessError: `by` may not start a detection.
        SourceError: the source does not exist.
        InputError: the options are wrong.
        TargetError: the run's folder cannot be created.
        AuditError: the event cannot be logged.
    """
    person = authorise(data, by, "detect")
    # Raises InputError before the run exists: a queued run with wrong options would only fail in the worker.
    plan_detectors(options)
    if not source.exists():
        raise SourceError(f"{source} does not exist. Choose another file.")
    folder = runs.create_run(data, build_run_request(person, source, options, submission))
    if submission.priority != Case().priority:
        write_file(folder.case, encode_document(Case(priority=submission.priority)))
    log_run_event(data, runs.load_run(data, folder.id), "queued")
    start_worker(data)
    return folder


def cancel_run(context: RunContext) -> None:
    """Request cancellation of a run. A running worker stops at its next check; a queued run never starts.

    Raises:
        AccessError: The person may not cancel runs.
        RunError: The run has ended already.
        AuditError: The request cannot be logged.
    """
    context = context.authorise("detect")
    runs.request_cancellation(context.run)
    log_run_event(context.data, context.run, "cancelled", context.person)


def cancel_waiting_runs(data: DataFolder, by: Person) -> list[Run]:
    """Cancel every run that waits; runs that are worked on go on.

    A run that a worker takes meanwhile is left alone: what is asked for is about runs that have not begun.

    Returns:
        The cancelled runs, in the order in which they would have been taken.

    Raises:
        AccessError: `by` may not cancel runs; then none is.
        AuditError: A request cannot be logged.
    """
    person, cancelled = authorise(data, by, "detect"), []
    for waiting in list_queued_runs(data):
        context = RunContext.open(data, waiting.id, person)
        if context.run.status == "queued":
            cancel_run(context)
            cancelled.append(context.run)
    return cancelled


def resume_run(context: RunContext) -> None:
    """Queue an unfinished run again.

    Raises:
        AccessError: The person may not start runs.
        RunError: The run is done, queued or running.
        AuditError: It cannot be logged.
    """
    context = context.authorise("detect")
    runs.requeue_run(context.run)
    log_run_event(context.data, context.run, "queued again", context.person)
    start_worker(context.data)


def start_worker(data: DataFolder) -> None:
    """Start a worker process if there is a run that this machine may take now.

    Adding and resuming a run do this by themselves. The server does it from time to time: after a worker was killed,
    and when a lease of another machine is over.
    """
    if not _has_work(data):
        return
    make_private_folder(data.runs)
    # Whether the worker gets the run is decided by the lease alone. If two processes start a worker at the same time,
    # one of the two finds nothing to take and ends at once.
    with data.worker_log.open("ab") as output:
        worker = subprocess.Popen(
            _build_worker_command(data),
            env=build_child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A session of its own: the worker goes on when this process ends or its terminal is closed.
            start_new_session=True,
        )
    # A process that ended stays in the process table until its parent waits for it.
    threading.Thread(target=worker.wait, name="worker", daemon=True).start()


def work_through_queue(data: DataFolder) -> int:
    """Do the runs that this machine may take, one after another, until there is none; return their number.

    Do nothing if this machine does as many runs already as it may.

    Raises:
        InputError: the settings of the queue are unreadable, or the address of its database is wrong.
        TargetError: the database cannot be used.
    """
    holder, done = Holder.this_process(), 0
    with open_lease_table(data) as table:
        while (run := _claim_run(data, table, holder)) is not None:
            # Each run has a process of its own: a crash in native code ends that run only, and its memory is returned.
            try:
                _run_in_subprocess(data, run)
            finally:
                table.release(run.id, holder.host)
            done += 1
    return done


def list_queued_runs(data: DataFolder) -> list[Run]:
    """Return the runs that wait, in the order in which they are taken: by priority, then oldest first."""
    return sort_queue([run for run in runs.read_register(data).runs if run.status == "queued"])


def sort_queue(waiting: Sequence[Run]) -> list[Run]:
    """Return waiting runs in the order in which they are taken."""
    ranks = {priority: rank for rank, priority in enumerate(PRIORITIES)}
    return sorted(waiting, key=lambda run: (ranks[read_case(run).priority], run.request.at, run.id))


def _claim_run(data: DataFolder, table: LeaseTable, holder: Holder) -> Run | None:
    """Take the lease of the next run."""
    chosen: list[Run] = []

    def choose(leases: Sequence[Lease]) -> tuple[str, str] | None:
        run = _choose_from_register(data, leases, read_queue_settings(data))
        if run is None:
            return None
        chosen.append(run)
        return run.id, run.request.account

    return chosen[0] if table.claim(holder, choose) is not None else None


def _choose_from_register(data: DataFolder, leases: Sequence[Lease], settings: QueueSettings) -> Run | None:
    host, register = find_host_name(), runs.read_register(data).runs
    abandoned = find_abandoned({run.id: run for run in register}, leases, host)
    waiting = {run.id: run for run in (*abandoned, *(run for run in register if run.status == "queued"))}
    return choose_run(sort_queue(list(waiting.values())), leases, settings, host)


def _has_work(data: DataFolder) -> bool:
    """Return whether there is a run that this machine may take now. The database is not opened if no run could be."""
    if all(run.status in {"done", "failed", "cancelled"} for run in runs.read_register(data).runs):
        return False
    with open_lease_table(data) as table:
        return _choose_from_register(data, table.list_leases(), read_queue_settings(data)) is not None


def _run_in_subprocess(data: DataFolder, run: Run) -> None:
    code = subprocess.run(
        _build_worker_command(data, run.id, str(os.getpid())), env=build_child_environment(), check=False
    ).returncode
    # A process that began has replaced the state. A run that is no longer queued was cancelled before its process
    # read it.
    after = runs.load_run(data, run.id)
    if after.status == "interrupted" and (-code in _CRASH_SIGNALS or code == EXIT_STUCK):
        sentence = f"The video {describe_crash(code)}."
        runs.write_state(run.folder, RunState(stage="failed", sentence=sentence, updated=runs.format_utc_now()))
        log_run_event(data, run, "failed")
    if after.status == "queued" and after.state == run.state:
        # Without this, the run would still be queued, and the worker would try it again for ever.
        sentence = f"The process of the run ended before the run began (exit code {code}). See {data.worker_log}."
        runs.write_state(run.folder, RunState(stage="failed", sentence=sentence, updated=runs.format_utc_now()))


def _build_worker_command(data: DataFolder, *arguments: str) -> list[str]:
    return build_module_command("engine.jobs.worker_main", str(data.root), *arguments)
