"""One run from its beginning to its end, in this process."""

from __future__ import annotations

from pathlib import Path

from engine import runs
from engine.access import Person, authorise
from engine.core.progress import Listener, Silent
from engine.detection.detect import detect
from engine.detection.options import plans
from engine.errors import RunCancelledError, VeilError
from engine.jobs.requests import check, note, options_of, requested
from engine.jobs.run_state_writer import Reporter
from engine.record import Record
from engine.runs import Asked, Run
from engine.storage.files import Data

_SILENT = Silent()


def begin(data: Data, by: Person, source: Path, asked: Asked) -> Run:
    """Make a run that this process is to perform at once, so that no worker takes it from the queue.

    Raises:
        AccessError: `by` may not start a detection.
        InputError: the options are not those of a detection.
        TargetError: it cannot be made.
        AuditError: it cannot be put on record.
    """
    person = authorise(data, by, "detect")
    check(asked)
    pid, born = runs.itself()
    now = runs.now()
    state = runs.RunState(stage="running", pid=pid, born=born, started=now, updated=now)
    run = runs.get(data, runs.create(data, requested(person, source, asked), state).id)
    note(data, run, "begun")
    return run


def perform(data: Data, run: Run, listener: Listener = _SILENT) -> Record:
    """Detect what a run asks for; what an earlier attempt had finished is taken over.

    How it ended stands in the state of the run, also when it raises.

    Args:
        data: the data folder.
        run: new, or without an end so far.
        listener: hears of progress.

    Raises:
        VeilError: as `engine.detect` does; RunCancelledError when somebody wanted it to stop.
    """
    options = options_of(run.request.detection)
    sure = {plan.name: float(str(plan.facts.parameters.get("sure") or 0.0)) for plan in plans(options)}
    reporter = Reporter(run, sure, listener)
    try:
        record = detect(run.source, run.folder.record, options, data=data.root, listener=reporter, watcher=reporter)
    except RunCancelledError as error:
        reporter.end("cancelled", str(error))
        raise
    except VeilError as error:
        reporter.end("failed", str(error))
        note(data, run, "failed")
        raise
    except Exception as error:
        reporter.end("failed", f"Something unexpected happened ({type(error).__name__}: {error}); the log has more.")
        raise
    note(data, run, "done", record=record)
    reporter.end("done")
    return record
