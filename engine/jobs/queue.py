"""The queue: runs that wait, and the one process that takes them one after another.

The worker holds a lock for as long as it lives, and so does each run it has started: whatever is killed, no two runs
of the queue go on at once. It ends when nothing waits; whoever adds a run starts another one.
"""

from __future__ import annotations

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
from engine.storage.locks import try_lock_file


def submit_run(
    data: DataFolder, by: Person, source: Path, options: DetectOptions, sha256: str | None = None
) -> RunFolder:
    """Put a new run into the queue, and see to it that somebody works on the queue.

    Args:
        data: the data folder.
        by: who asks for it.
        source: the video.
        options: with which options.
        sha256: of the video, where somebody has looked at it already.

    Raises:
        AccessError: `by` may not start a detection.
        SourceError: the source is not there.
        InputError: the options are not those of a detection.
        TargetError: the run cannot be made.
        AuditError: it cannot be put on record.
    """
    person = authorise(data, by, "detect")
    # Raises InputError before the run exists: a queued run with wrong options would only fail in the worker.
    plan_detectors(options)
    if not source.exists():
        raise SourceError(f"{source} is not there; choose a file that is.")
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
    """Start a process that works on the queue if something waits and none does.

    It is in a session of its own: it goes on when this process ends.
    """
    if not list_queued_runs(data):
        return
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
            start_new_session=True,
        )
    # Somebody has to wait for it, or it stays in the table of processes when it has ended.
    threading.Thread(target=worker.wait, name="worker", daemon=True).start()


def work_through_queue(data: DataFolder) -> int:
    """Do the runs that wait, oldest first, each in a process of its own, until none waits; returns how many.

    Does nothing when another process is at it.
    """
    done = 0
    while list_queued_runs(data):
        with lock_queue(data) as descriptor:
            if descriptor is None:
                return done
            while runs_left := list_queued_runs(data):
                _run_in_subprocess(data, runs_left[0], descriptor)
                done += 1
        # A run that was added after the last look, while the lock was still held, was left to us: look again.
    return done


def list_queued_runs(data: DataFolder) -> list[Run]:
    """The runs that wait, oldest first."""
    queued = (run for run in runs.read_register(data).runs if run.status == "queued")
    return sorted(queued, key=lambda run: (run.request.at, run.id))


def _run_in_subprocess(data: DataFolder, run: Run, lock_descriptor: int) -> None:
    code = subprocess.run(
        _build_worker_command(data, run.id), env=build_child_environment(), pass_fds=[lock_descriptor], check=False
    ).returncode
    # A process that began has replaced the state. A run that is no longer queued was cancelled before its process
    # read it.
    after = runs.load_run(data, run.id)
    if after.status == "queued" and after.state == run.state:
        sentence = f"The process of the run ended before it began (exit code {code}); {data.worker_log} has more."
        runs.write_state(run.folder, RunState(stage="failed", sentence=sentence, updated=runs.format_utc_now()))


def _build_worker_command(data: DataFolder, *arguments: str) -> list[str]:
    return build_module_command("engine.jobs.worker_main", str(data.root), *arguments)


@contextmanager
def lock_queue(data: DataFolder) -> Iterator[int | None]:
    """The lock of the queue as a descriptor, which children may inherit; None when another process holds it."""
    data.runs.mkdir(parents=True, exist_ok=True)
    with try_lock_file(data.worker_lock) as descriptor:
        yield descriptor
