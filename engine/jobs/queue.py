"""The queue: runs that wait, and the worker process that takes them one after another.

The queue has no file of its own: a run waits if its state says so. The worker holds a lock for as long as it lives, and
so does the process of each run it has started, which inherits the lock. Whichever of them is killed, no second worker
starts while a run of the first one is still going on. The worker ends when no run waits; adding a run starts a worker.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine import runs
from engine.access import Person, authorise
from engine.access.run_context import RunContext
from engine.core.python_process import build_child_environment, build_module_command
from engine.detection.options import plan_detectors
from engine.errors import SourceError
from engine.jobs.requests import build_run_request, log_run_event
from engine.record import DetectOptions
from engine.runs import Run, RunFolder, RunState
from engine.storage.data_folder import DataFolder
from engine.storage.files import make_private_folder
from engine.storage.locks import try_lock_file


def submit_run(
    data: DataFolder, by: Person, source: Path, options: DetectOptions, sha256: str | None = None
) -> RunFolder:
    """Add a new run to the queue and make sure that a worker works on the queue.

    Args:
        data: the data folder.
        by: the person who starts the run.
        source: the video.
        options: options of the detection.
        sha256: hash of the video, if it is known already.

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
    folder = runs.create_run(data, build_run_request(person, source, options, sha256))
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


def restart_worker(data: DataFolder) -> None:
    """Start a worker if runs wait and none is being worked on, as after the worker was killed.

    The server calls this from time to time; a run that is submitted or resumed starts a worker by itself.
    """
    statuses = {run.status for run in runs.read_register(data).runs}
    if "queued" in statuses and "running" not in statuses:
        start_worker(data)


def start_worker(data: DataFolder) -> None:
    """Start a worker process if a run waits and no worker lives."""
    if not list_queued_runs(data):
        return
    # The lock is only tried here and taken by the worker itself. If two processes start a worker at the same time, one
    # of the two workers does not get the lock and ends at once.
    with lock_queue(data) as descriptor:
        if descriptor is None:
            return
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
    """Do the queued runs, oldest first, until none waits; return their number.

    Do nothing if another process works on the queue.
    """
    done = 0
    while list_queued_runs(data):
        with lock_queue(data) as descriptor:
            if descriptor is None:
                return done
            # Each run has a process of its own: a crash in native code ends that run only, and its memory is returned.
            while runs_left := list_queued_runs(data):
                _run_in_subprocess(data, runs_left[0], descriptor)
                done += 1
        # A run may have been added after the last check while this process still held the lock, so that no other worker
        # was started for it. Check again without the lock.
    return done


def succeed_worker(data: DataFolder, lock_descriptor: int) -> None:
    """Start a worker in place of the one that began this process, which was killed before the run ended.

    Args:
        data: the data folder.
        lock_descriptor: the lock of the queue that this process has inherited; it is released.
    """
    os.close(lock_descriptor)
    start_worker(data)


def list_queued_runs(data: DataFolder) -> list[Run]:
    """Return the runs that wait, oldest first."""
    queued = (run for run in runs.read_register(data).runs if run.status == "queued")
    return sorted(queued, key=lambda run: (run.request.at, run.id))


def _run_in_subprocess(data: DataFolder, run: Run, lock_descriptor: int) -> None:
    code = subprocess.run(
        _build_worker_command(data, run.id, str(os.getpid()), str(lock_descriptor)),
        env=build_child_environment(),
        pass_fds=[lock_descriptor],
        check=False,
    ).returncode
    # A process that began has replaced the state. A run that is no longer queued was cancelled before its process
    # read it.
    after = runs.load_run(data, run.id)
    if after.status == "queued" and after.state == run.state:
        # Without this, the run would still be queued, and the worker would try it again for ever.
        sentence = f"The process of the run ended before the run began (exit code {code}). See {data.worker_log}."
        runs.write_state(run.folder, RunState(stage="failed", sentence=sentence, updated=runs.format_utc_now()))


def _build_worker_command(data: DataFolder, *arguments: str) -> list[str]:
    return build_module_command("engine.jobs.worker_main", str(data.root), *arguments)


@contextmanager
def lock_queue(data: DataFolder) -> Iterator[int | None]:
    """Hold the lock of the queue; yield its descriptor, which children may inherit; None if another process has it."""
    make_private_folder(data.runs)
    with try_lock_file(data.worker_lock) as descriptor:
        yield descriptor
