"""From a video to a detection record: the module that puts the stages together."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from engine.core.progress import ProgressListener, SilentListener
from engine.detection.assemble import assemble_record
from engine.detection.checkpoint import Checkpoint, CheckpointFrames
from engine.detection.cost import CostTracker, check_cost_limit, estimate_cost
from engine.detection.frame_detections import FrameTable, merge_passes
from engine.detection.frame_selection import split_passes
from engine.detection.ledger import write_ledger_on_failure
from engine.detection.observer import DetectionObserver
from engine.detection.options import adapt_to_source, count_workers, plan_detectors
from engine.detection.passes import DetectionJob, PassRunner, create_checkpoint, find_uncertain_frames, run_pass
from engine.detection.results import (
    Stopwatch,
    build_run_facts,
    check_writable,
    hash_request,
    list_detection_files,
    read_finished_record,
    write_results,
)
from engine.detectors.ensemble import DetectorEnsemble
from engine.isolation.guarded import guarded
from engine.media.source.image_sequence import list_source_files, probe_any
from engine.media.source.preflight import check_decodable
from engine.record import DetectOptions, Record
from engine.storage.data_folder import find_data_folder
from engine.storage.file_use import FileUse, check_file_use


@guarded("source")
def detect(  # noqa: PLR0913 - only the source is required; every other argument has a default
    source: Path | str,
    output: Path | str | None = None,
    options: DetectOptions | None = None,
    *,
    data: Path | str | None = None,
    listener: ProgressListener | None = None,
    ensemble: DetectorEnsemble | None = None,
    observer: DetectionObserver | None = None,
    runner: PassRunner | None = None,
    overwrite: bool = True,
) -> Record:
    """Find the faces in a video, in a photograph, or in a folder of numbered stills that is treated as a video.

    Detections are saved while the detection runs: the same call after an interruption resumes it and ends with the
    same record.

    Args:
        source: the video, photograph or folder.
        output: file to write the record to; the facts of the run go beside it (`NAME.run.json`). None: nothing is
            written.
        options: what to run; on-prem detection by default.
        data: the data folder (see `engine.storage.data_folder.find_data_folder`).
        listener: gets progress and notices.
        ensemble: running detectors that fit `options` (see `engine.detection.options.adapt_to_source`); they are used
            and left running.
        observer: sees what is found.
        runner: runs the local detectors elsewhere, as on a cluster. The record is the same.
        overwrite: replace `output` if it exists. False: return it if it is the record of this detection, finished
            earlier, else refuse.

    Raises:
        SourceError: the source is not a readable video; DamagedFrameError names a frame.
        InputError: an option is unknown, or another process runs the same detection.
        ModelError: weights are missing or are not the pinned ones.
        DetectorError: a detector's process died, hung or failed.
        TargetError: the record cannot be written, is the source, or exists and must not be replaced.
    """
    stopwatch = Stopwatch()
    source, output = Path(source), Path(output) if output else None
    options, listener = options or DetectOptions(), listener or SilentListener()
    plans = plan_detectors(options)  # options that are wrong are refused before the source is read
    if output is not None:
        beside = list_detection_files(output)
        check_file_use(FileUse(list_source_files(source), [output], beside), overwrite=True)
        check_writable(output)
    info = probe_any(source, listener=listener)
    check_decodable(source, info, covers_damage=options.on_damage == "cover")
    if ensemble is None:
        options = adapt_to_source(options, info)
        plans = plan_detectors(options)
    request_sha256 = hash_request(info.sha256, plans, options)
    if output is not None and not overwrite and (finished := read_finished_record(output, request_sha256)):
        listener.notice(f"{output} is the finished record of this detection already.")
        return finished
    job = DetectionJob(source, info, options, plans, find_data_folder(data), listener, ensemble, observer, runner)
    cost_tracker = CostTracker(plans, listener)
    with ExitStack() as stack:
        checkpoints = _run_passes(job, output, cost_tracker, stack)
        frames = merge_passes([CheckpointFrames(checkpoint) for checkpoint in checkpoints])
        record = assemble_record(frames, info, [plan.facts for plan in plans], options)
        cost_tracker.announce_total()
        if output is not None:
            workers = count_workers(options, plans)
            resumed_frames = checkpoints[-1].resumed_frame_count
            facts = build_run_facts(record, stopwatch, resumed_frames, workers, request_sha256)
            write_results(record, output, frames, plans, facts)
        for checkpoint in checkpoints:
            checkpoint.discard()
    return record


def _run_passes(
    job: DetectionJob, output: Path | None, cost_tracker: CostTracker, stack: ExitStack
) -> list[Checkpoint]:
    """Run the first pass and, if the policy of a remote detector needs it, the second.

    Args:
        job: the run.
        output: path of the record, beside which a ledger is written if the run fails.
        cost_tracker: counts what remote detectors are paid.
        stack: keeps the checkpoints open until the record is written.

    Returns:
        The complete checkpoint of each pass.
    """
    first_plans, second_plans = split_passes(job.plans)
    first = stack.enter_context(create_checkpoint(job, first_plans))
    cost_tracker.count_earlier_attempt(first.read_frames())
    _announce_cost(job, cost_tracker, job.info.video.packets)
    with write_ledger_on_failure([first], job.plans, output):
        run_pass(job, first_plans, first, cost_tracker)
    if not second_plans:
        return [first]

    uncertain = find_uncertain_frames(job, FrameTable(first.read_frames()), second_plans)
    second = stack.enter_context(create_checkpoint(job, second_plans, uncertain))
    cost_tracker.count_earlier_attempt(second.read_frames())
    # Announced again: only now is it known which frames are sent, and how many frames there really are.
    _announce_cost(job, cost_tracker, first.frame_count, uncertain)
    with write_ledger_on_failure([first, second], job.plans, output):
        run_pass(job, second_plans, second, cost_tracker, uncertain)
    return [first, second]


def _announce_cost(
    job: DetectionJob, cost_tracker: CostTracker, frame_count: int, uncertain: frozenset[int] | None = None
) -> None:
    estimate = estimate_cost(job.plans, frame_count, uncertain)
    if estimate is not None:
        check_cost_limit(estimate, job.options.max_cost)
        cost_tracker.announce_estimate(estimate)
