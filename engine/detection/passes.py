"""One pass over the video: every frame goes to the detectors of the pass, and their answers into a checkpoint.

Most runs have one pass. A run with a remote detector for uncertain frames has two: which frames are uncertain is known
only when the other detectors have seen the whole video.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import msgspec

from engine.core.progress import ProgressListener
from engine.detection.batches import (
    BATCH_FRAMES,
    FrameBatch,
    LazyRgbBatch,
    PendingBatches,
    read_batches,
    select_positions,
)
from engine.detection.carry import CarryContext
from engine.detection.carry_feed import CarryFeed
from engine.detection.checkpoint import Checkpoint
from engine.detection.cost import CostTracker, limit_calls
from engine.detection.frame_detections import FrameDetections
from engine.detection.frame_selection import frame_predicates, uncertain_frames
from engine.detection.look_schedule import LookSchedule
from engine.detection.observer import DetectionObserver, ObserverFeed
from engine.detection.options import count_workers, find_schedule
from engine.detectors.ensemble import BatchesByDetector, DetectorEnsemble
from engine.detectors.registry import DetectorPlan, select_remote
from engine.media.facts import MediaInfo
from engine.media.source.image_sequence import open_any
from engine.media.source.prefetch import prefetch
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

_PREFETCH_FRAMES = 4
"""Frames that are decoded ahead, while the frames before them are converted and submitted."""


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
    """

    source: Path
    info: MediaInfo
    options: DetectOptions
    plans: Sequence[DetectorPlan]
    data: DataFolder
    listener: ProgressListener
    ensemble: DetectorEnsemble | None
    observer: DetectionObserver | None


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
    predicates = frame_predicates(plans, uncertain or frozenset())
    # The estimate alone cannot keep the limit: it may be an upper bound, and more frames may decode than were counted.
    plans = limit_calls(plans, job.options.max_cost, cost_tracker.spent_usd)
    finished_batches = checkpoint.batch_count
    # A second pass asks about frames that the first one chose; faces were carried by the first.
    schedule = find_schedule(job.options) if uncertain is None else None
    carrying = _start_carrying(job, schedule, checkpoint) if schedule else None
    looks = LookSchedule(
        schedule,
        job.options.tracking,
        float(Fraction(job.info.video.time_base)),
        finished_batches * BATCH_FRAMES,
        carrying.first_frame if carrying else 0,
    )
    with (
        open_any(job.source, job.info, on_damage=job.options.on_damage) as source,
        prefetch(looks.apply(source.frames()), _PREFETCH_FRAMES) as frames,
        nullcontext(job.ensemble)
        if job.ensemble
        else DetectorEnsemble(plans, job.data.models, count_workers(job.options, job.plans)) as ensemble,
    ):
        ensemble.set_first_ticket(checkpoint.batch_count)
        answers = _AnswerStore(job, plans, checkpoint, cost_tracker, carrying)
        answers.report_progress()
        answers.feed.replay(checkpoint.read_frames())
        local = [plan.name for plan in plans if plan.name not in predicates]
        for batch in read_batches(frames):
            # The frames of finished batches are decoded, because the frames after them depend on them.
            if batch.ticket < finished_batches:
                if carrying is not None:
                    carrying.skip(batch)
                continue
            pictures = {side: LazyRgbBatch(batch.frames, side) for side in ensemble.input_sides}
            positions = dict.fromkeys(local, batch.looks) if schedule else {}
            positions |= {name: select_positions(batch.frames, selects) for name, selects in predicates.items()}
            label = f"frames {batch.frames[0].index} to {batch.frames[-1].index}"
            ensemble.submit(batch.ticket, pictures, label, positions)
            answers.add(batch, positions)
            answers.feed.offer_preview(batch.ticket, batch.frames[0])
            # Answers are stored while frames are read: an interruption then loses only what is under way.
            answers.store(ensemble.take_finished())
        answers.store(ensemble.drain())


def _start_carrying(job: DetectionJob, schedule: ScheduleSettings, checkpoint: Checkpoint) -> CarryFeed:
    context = CarryContext(
        display=job.info.video.display,
        schedule=schedule,
        frame_s=job.info.video.expected_frame_s,
        fusion=job.options.fusion,
        confident_scores={plan.facts.name: plan.facts.confident_score for plan in job.plans},
    )
    return CarryFeed(context, checkpoint)


class _AnswerStore:
    """Takes the answers of one pass to everything that needs them."""

    def __init__(
        self,
        job: DetectionJob,
        plans: Sequence[DetectorPlan],
        checkpoint: Checkpoint,
        cost_tracker: CostTracker,
        carrying: CarryFeed | None,
    ) -> None:
        display = job.info.video.display
        self._pending = PendingBatches(display, plans)
        self.feed = ObserverFeed(job.observer, display)
        self._checkpoint, self._cost_tracker, self._listener = checkpoint, cost_tracker, job.listener
        self._frame_total = job.info.video.packets
        self._carrying = carrying

    def report_progress(self) -> None:
        self._listener.progress("detect", self._checkpoint.frame_count, self._frame_total)

    def add(self, batch: FrameBatch, positions: Mapping[str, Sequence[int]]) -> None:
        """Remember a batch that was submitted, and the positions of the frames that each detector is given."""
        self._pending.add(batch, positions)
        if self._carrying is not None:
            self._carrying.remember(batch)

    def store(self, finished: Iterable[tuple[int, BatchesByDetector]]) -> None:
        for ticket, answers in finished:
            frames = self._pending.join_answers(ticket, answers)
            if self._carrying is not None:
                frames = self._carrying.carry(ticket, frames)
            first_index = self._checkpoint.frame_count
            # First of all into the checkpoint: the calls are paid for, and an observer may cancel the run.
            self._checkpoint.append_batch(frames)
            self.feed.report(ticket, first_index, frames)
            self._cost_tracker.record_receipts(frames)
            self.report_progress()
