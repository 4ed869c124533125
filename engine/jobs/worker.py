"""One run from its beginning to its end, in this process."""

from __future__ import annotations

from pathlib import Path

from engine import runs
from engine.access import Person, authorise
from engine.core.progress import ProgressListener, SilentListener
from engine.detection.detect import detect
from engine.detection.options import plan_detectors
from engine.errors import RunCancelledError, VeilError
from engine.jobs.requests import build_run_request, log_run_event
from engine.jobs.run_state_writer import RunStateWriter
from engine.record import DetectOptions, Record
from engine.runs import Run
from engine.storage.data_folder import DataFolder

_SILENT = SilentListener()


def start_run(data: DataFolder, by: Person, source: Path, options: DetectOptions) -> Run:
    """Make a run that this process is to perform at once, so that no worker takes it from the queue.

    Raises:
        AccessError: `by` may not start a detection.
        InputError: the options are not those of a detection.
        TargetError: it cannot be made.
        AuditError: it cannot be put on record.
    """
    person = authorise(data, by, "detect")
    # Raises InputError before the run exists: a queued run with wrong options would only fail in the worker.
    plan_detectors(options)
    pid, born = runs.current_process()
    now = runs.format_utc_now()
    state = runs.RunState(stage="running", pid=pid, born=born, started=now, updated=now)
    run = runs.load_run(data, runs.create_run(data, build_run_request(person, source, options), state).id)
    log_run_event(data, run, "begun")
    return run


def perform_run(data: DataFolder, run: Run, listener: ProgressListener = _SILENT) -> Record:
    """Detect what a run asks for; what an earlier attempt had finished is taken over.

    How it ended stands in the state of the run, also when it raises.

    Args:
        data: the data folder.
        run: new, or without an end so far.
        listener: hears of progress.

    Raises:
        VeilError: as `engine.detect` does; RunCancelledError when somebody wanted it to stop.
    """
    options = run.request.detection
    sure = {plan.name: plan.facts.confident_score for plan in plan_detectors(options)}
    reporter = RunStateWriter(run, sure, listener)
    try:
        record = detect(run.source, run.folder.record, options, data=data.root, listener=reporter, observer=reporter)
    except RunCancelledError as error:
        reporter.finish("cancelled", str(error))
        raise
    except VeilError as error:
        reporter.finish("failed", str(error))
        log_run_event(data, run, "failed")
        raise
    except Exception as error:
        reporter.finish("failed", f"Something unexpected happened ({type(error).__name__}: {error}); the log has more.")
        raise
    log_run_event(data, run, "done", record=record)
    reporter.finish("done")
    return record
