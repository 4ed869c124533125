"""One pass over the video: every frame goes to the detectors of the pass, and their answers into a checkpoint.

Most runs have one pass. A run with a remote detector for uncertain frames has two: which frames are uncertain is known
only when the other detectors have seen the whole video.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Protocol

import msgspec

from engine.core.progress import ProgressListener
from engine.detection.batches import BATCH_FRAMES
from engine.detection.checkpoint import Checkpoint
from engine.detection.cost import CostTracker, limit_calls
from engine.detection.detection_range import rest_of_video
from engine.detection.frame_detections import FrameDetections
from engine.detection.frame_selection import uncertain_frames
from engine.detection.observer import DetectionObserver, ObserverFeed
from engine.detection.options import count_workers, find_schedule
from engine.detection.pass_spec import PassSpec
from engine.detection.range_detection import AnsweredBatch, RangeDetection
from engine.detectors.ensemble import DetectorEnsemble
from engine.detectors.registry import DetectorPlan, select_remote
from engine.media.facts import MediaInfo
from engine.record import (
    DetectOptions,
    DetectorFacts,
    Document,
    FusionSettings,
    ScheduleSettings,
    Sha256,
    sha256_hex,
    usual_duration_s,
)
from engine.storage.data_folder import DataFolder


@dataclass(frozen=True, slots=True)
class PassProgress:
    """Where a pass begins, and who sees how far it is.

    Attributes:
        first: first frame whose detections are not there yet.
        known: detections of the frames before it, as far as they decide what is carried into it.
        feed: gets small pictures.
        listener: gets progress and notices.
    """

    first: int
    known: Sequence[FrameDetections]
    feed: ObserverFeed
    listener: ProgressListener


class PassRunner(Protocol):
    """Detects the rest of a pass, somewhere else than in this process and its detectors."""

    def run(self, spec: PassSpec, models: Path, progress: PassProgress) -> Iterator[AnsweredBatch]:
        """Yield the answers from `progress.first` to the end of the video, in order.

        Args:
            spec: the pass.
            models: folder of the weights.
            progress: where it begins.
        """


@dataclass(frozen=True, slots=True)
class DetectionJob:
    """What all passes of a run have in common.

    Attributes:
        source: the video, photograph or folder of stills.
        info: its facts.
        options: the options of the run.
        plans: all detectors of the run.
        data: the data folder.
        listener: gets progress and notices.
        ensemble: running detectors to use. None: each pass starts its own.
        observer: sees what is found. None: there is none.
        runner: runs the passes without a remote detector. None: this process does.
    """

    source: Path
    info: MediaInfo
    options: DetectOptions
    plans: Sequence[DetectorPlan]
    data: DataFolder
    listener: ProgressListener
    ensemble: DetectorEnsemble | None
    observer: DetectionObserver | None
    runner: PassRunner | None = None


class _CheckpointKey(Document, frozen=True):
    """Everything that decides what the detectors find. Its hash names the checkpoint."""

    source: Sha256
    detectors: tuple[DetectorFacts, ...]
    on_damage: str
    chunk: int
    schedule: ScheduleSettings | None
    fusion: FusionSettings
    asked: Sha256 | None = None


def create_checkpoint(
    job: DetectionJob, plans: Sequence[DetectorPlan], uncertain: frozenset[int] | None = None
) -> Checkpoint:
    """Create the checkpoint of a pass, not opened yet.

    Args:
        job: the run.
        plans: the detectors of the pass.
        uncertain: frames that a second pass asks about. None: it is the first pass.
    """
    facts = [plan.facts for plan in plans]
    asked = None
    if uncertain is not None:
        # A second pass depends on the first: with other local detectors, other frames would be uncertain.
        facts += [plan.facts for plan in job.plans]
        asked = sha256_hex(msgspec.json.encode(sorted(uncertain)))
    key = _CheckpointKey(
        job.info.sha256,
        tuple(facts),
        job.options.on_damage,
        BATCH_FRAMES,
        find_schedule(job.options),
        job.options.fusion,
        asked,
    )
    return Checkpoint(job.data.checkpoints, key)


def find_uncertain_frames(
    job: DetectionJob, frames: Sequence[FrameDetections], plans: Iterable[DetectorPlan]
) -> frozenset[int]:
    """Return the indices of the frames that the first pass leaves uncertain for any remote detector of `plans`."""
    indices: set[int] = set()
    frame_s = usual_duration_s([frame.pts for frame in frames], Fraction(job.info.video.time_base))
    for _, settings in select_remote(plans):
        indices |= uncertain_frames(frames, job.options, settings, frame_s)
    return frozenset(index for index in indices if not frames[index].damaged)


def run_pass(
    job: DetectionJob,
    plans: Sequence[DetectorPlan],
    checkpoint: Checkpoint,
    cost_tracker: CostTracker,
    uncertain: frozenset[int] | None = None,
) -> None:
    """Run detectors from the end of a checkpoint to the end of the video.

    Args:
        job: the run.
        plans: the detectors of the pass.
        checkpoint: where answers are kept, open.
        cost_tracker: counts what remote detectors are paid.
        uncertain: frames that a second pass asks about. None: it is the first pass.
    """
    spec = PassSpec(
        job.source,
        job.info,
        job.options,
        # The estimate alone cannot keep the limit: it may be an upper bound, and more frames may decode than counted.
        limit_calls(plans, job.options.max_cost, cost_tracker.spent_usd),
        {plan.facts.name: plan.facts.confident_score for plan in job.plans},
        # A second pass asks about frames that the first one chose; faces were carried by the first.
        find_schedule(job.options) if uncertain is None else None,
        uncertain,
    )
    feed = ObserverFeed(job.observer, job.info.video.display)
    first = checkpoint.batch_count * BATCH_FRAMES
    known = tuple(islice(checkpoint.read_frames(), max(0, first - spec.overlap_frames), None))
    progress = PassProgress(first, known, feed, job.listener)
    job.listener.progress("detect", checkpoint.frame_count, job.info.video.packets)
    feed.replay(checkpoint.read_frames())
    with closing(_run_anywhere(job, spec, progress)) as answers:
        for ticket, frames, ahead in answers:
            first_index = checkpoint.frame_count
            # First of all into the checkpoint: the calls are paid for, and an observer may cancel the run.
            checkpoint.append_batch(frames)
            feed.report(ticket, first_index, frames)
            cost_tracker.record_receipts(frames)
            job.listener.progress("detect", checkpoint.frame_count + ahead, job.info.video.packets)


def _run_anywhere(job: DetectionJob, spec: PassSpec, progress: PassProgress) -> Generator[AnsweredBatch]:
    # One process counts and limits the calls that are paid for, and the service limits how fast they are, so a pass
    # with a remote detector gains nothing on several machines.
    if job.runner is not None and not spec.has_remote_detector:
        yield from job.runner.run(spec, job.data.models, progress)
        return
    part = rest_of_video(progress.first, spec.overlap_frames)
    with (
        nullcontext(job.ensemble)
        if job.ensemble
        else DetectorEnsemble(spec.plans, job.data.models, count_workers(job.options, job.plans)) as ensemble
    ):
        yield from RangeDetection(spec, part, progress.known, progress.feed).run(ensemble)
