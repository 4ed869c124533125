"""One run from start to end, in this process."""

from __future__ import annotations

from pathlib import Path

from engine import runs
from engine.access import Person, authorise
from engine.cluster.connection import ClusterChoice, open_cluster
from engine.core.progress import ProgressListener, SilentListener
from engine.detection.detect import detect
from engine.detection.options import plan_detectors
from engine.errors import RunCancelledError, VeilError
from engine.jobs.requests import build_run_request, log_run_event
from engine.jobs.run_state_writer import RunStateWriter
from engine.media.source.preflight import check_renderable
from engine.media.source.reader_process import read_in_process
from engine.record import DetectOptions, Record
from engine.runs import Run
from engine.storage.data_folder import DataFolder

_SILENT = SilentListener()
_NO_CLUSTER = ClusterChoice()


def start_run(data: DataFolder, by: Person, source: Path, options: DetectOptions, title: str | None = None) -> Run:
    """Create a run that this process performs at once; no worker takes it from the queue.

    Args:
        data: the data folder.
        by: the person who starts the run.
        source: the video.
        options: options of the detection.
        title: title of the run for people; the name of the source if None.

    Raises:
        AccessError: `by` may not start a detection.
        InputError: the options are wrong.
        TargetError: the run's folder cannot be created.
        AuditError: the event cannot be logged.
    """
    person = authorise(data, by, "detect")
    # Raises InputError before the run exists: a queued run with wrong options would only fail in the worker.
    plan_detectors(options)
    request = build_run_request(person, source, options, title=title)
    run = runs.load_run(data, runs.create_run(data, request, runs.RunState.begin()).id)
    log_run_event(data, run, "begun")
    return run


def perform_run(
    data: DataFolder, run: Run, listener: ProgressListener = _SILENT, cluster: ClusterChoice = _NO_CLUSTER
) -> Record:
    """Perform the detection of a run; frames that an earlier attempt finished are not detected again.

    The state of the run says how it ended, also if this function raises.

    Args:
        data: the data folder.
        run: a new or an unfinished run.
        listener: gets progress and notices.
        cluster: where the local detectors run.

    Raises:
        VeilError: as `engine.detect` does; RunCancelledError if the cancellation of the run was requested.
    """
    options = run.request.detection
    confident_scores = {plan.name: plan.facts.confident_score for plan in plan_detectors(options)}
    state_writer = RunStateWriter(run, confident_scores, listener)
    try:
        # A run is for a release. That none can be made is known from the packets, hours before a render would say so.
        if run.source.is_file():
            check_renderable(run.source, read_in_process(run.source))
        with open_cluster(cluster) as runner:
            record = detect(
                run.source, run.folder.record, options,
                data=data.root, listener=state_writer, observer=state_writer, runner=runner,
            )  # fmt: skip
    except RunCancelledError as error:
        state_writer.finish("cancelled", str(error))
        raise
    except VeilError as error:
        state_writer.finish("failed", str(error))
        log_run_event(data, run, "failed")
        raise
    except Exception as error:
        # An error of the program itself: the state must not stay "running", but the traceback belongs in the log.
        state_writer.finish(
            "failed", f"An unexpected error ended the run ({type(error).__name__}: {error}). See the log."
        )
        raise
    # The audit log comes first: a run that is shown as done is always in it.
    log_run_event(data, run, "done", record=record)
    state_writer.finish("done")
    return record
