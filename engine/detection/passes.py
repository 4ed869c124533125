"""One pass over the video: every frame goes to the detectors of the pass, and their answers into a checkpoint.

Most runs have one pass. A run with a remote detector for uncertain frames has two: which frames are uncertain is known
only when the other detectors have seen the whole video.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.core.progress import ProgressListener
from engine.detection.batches import BATCH_FRAMES, LazyRgbBatch, PendingBatches, read_batches, select_positions
from engine.detection.checkpoint import Checkpoint
from engine.detection.cost import CostTracker, limit_calls
from engine.detection.frame_detections import FrameDetections
from engine.detection.frame_selection import frame_predicates, uncertain_frames
from engine.detection.observer import DetectionObserver, ObserverFeed
from engine.detection.options import count_workers
from engine.detectors.ensemble import BatchesByDetector, DetectorEnsemble
from engine.detectors.registry import DetectorPlan, select_remote
from engine.media.facts import MediaInfo
from engine.media.source.image_sequence import open_any
from engine.media.source.prefetch import prefetch
from engine.record import DetectOptions, DetectorFacts, Document, Sha256, sha256_hex
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
    key = _CheckpointKey(job.info.sha256, tuple(facts), job.options.on_damage, BATCH_FRAMES, asked)
    return Checkpoint(job.data.checkpoints, key)


def find_uncertain_frames(
    frames: Sequence[FrameDetections], options: DetectOptions, plans: Iterable[DetectorPlan]
) -> frozenset[int]:
    """Return the indices of the frames that the first pass leaves uncertain for any remote detector of `plans`."""
    indices: set[int] = set()
    for _, settings in select_remote(plans):
        indices |= uncertain_frames(frames, options, settings)
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
    with (
        open_any(job.source, job.info, on_damage=job.options.on_damage) as source,
        prefetch(source.frames(), _PREFETCH_FRAMES) as frames,
        nullcontext(job.ensemble)
        if job.ensemble
        else DetectorEnsemble(plans, job.data.models, count_workers(job.options, job.plans)) as ensemble,
    ):
        ensemble.set_first_ticket(checkpoint.batch_count)
        answers = _AnswerStore(job, plans, checkpoint, cost_tracker)
        answers.report_progress()
        answers.feed.replay(checkpoint.read_frames())
        for batch in read_batches(frames, skip_batches=checkpoint.batch_count):
            pictures = {side: LazyRgbBatch(batch.frames, side) for side in ensemble.input_sides}
            positions = {name: select_positions(batch.frames, selects) for name, selects in predicates.items()}
            label = f"frames {batch.frames[0].index} to {batch.frames[-1].index}"
            ensemble.submit(batch.ticket, pictures, label, positions)
            answers.pending.add(batch, positions)
            answers.feed.offer_preview(batch.ticket, batch.frames[0])
            # Answers are stored while frames are read: an interruption then loses only what is under way.
            answers.store(ensemble.take_finished())
        answers.store(ensemble.drain())


class _AnswerStore:
    """Takes the answers of one pass to everything that needs them."""

    def __init__(
        self, job: DetectionJob, plans: Sequence[DetectorPlan], checkpoint: Checkpoint, cost_tracker: CostTracker
    ) -> None:
        display = job.info.video.display
        self.pending = PendingBatches(display, plans)
        self.feed = ObserverFeed(job.observer, display)
        self._checkpoint, self._cost_tracker, self._listener = checkpoint, cost_tracker, job.listener
        self._frame_total = job.info.video.packets

    def report_progress(self) -> None:
        self._listener.progress("detect", self._checkpoint.frame_count, self._frame_total)

    def store(self, finished: Iterable[tuple[int, BatchesByDetector]]) -> None:
        for ticket, answers in finished:
            frames = self.pending.join_answers(ticket, answers)
            first_index = self._checkpoint.frame_count
            # First of all into the checkpoint: the calls are paid for, and an observer may cancel the run.
            self._checkpoint.append_batch(frames)
            self.feed.report(ticket, first_index, frames)
            self._cost_tracker.record_receipts(frames)
            self.report_progress()
