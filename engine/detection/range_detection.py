"""Detection of one range of frames: the way that every frame takes, on one machine and on many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from engine.detection.batches import (
    BATCH_FRAMES,
    FrameBatch,
    LazyRgbBatch,
    read_batches,
    select_positions,
)
from engine.detection.carry_feed import CarryFeed
from engine.detection.detection_range import DetectionRange
from engine.detection.frame_detections import FrameDetections
from engine.detection.frame_selection import frame_predicates
from engine.detection.look_decision import Decision, LookDecider
from engine.detection.look_schedule import LookSchedule, ScheduledFrame
from engine.detection.observer import ObserverFeed
from engine.detection.part_look import PartLooks
from engine.detection.pass_spec import PassSpec
from engine.detection.pending_batches import PendingBatches
from engine.detectors.ensemble import BatchesByDetector, DetectorEnsemble
from engine.errors import SourceError
from engine.media.frame import SourceFrame
from engine.media.source.image_sequence import FrameSource, open_any
from engine.media.source.prefetch import prefetch

_PREFETCH_FRAMES = 4
"""Frames that are decoded ahead, while the frames before them are converted and submitted."""


class AnsweredBatch(NamedTuple):
    """The detections of successive frames.

    Attributes:
        ticket: number of their batch, counted from the start of the video.
        frames: their detections.
        ahead: number of frames after them that are detected already and wait for those between.
    """

    ticket: int
    frames: tuple[FrameDetections, ...]
    ahead: int = 0

    @property
    def first_index(self) -> int:
        """Index of the first of the frames."""
        return self.ticket * BATCH_FRAMES


class RangeDetection:
    """Detects the faces in one range of frames.

    Args:
        spec: the pass that the range is a part of.
        part: the range.
        known: detections of the frames of its overlap. Empty: they are detected too, and come before the others.
        feed: gets small pictures. None: nobody wants any.

    Attributes:
        pictures: SHA-256 of the last frame of the overlap and of the last frame of the range, by index, of a range that
            does not extend from the beginning to the end.
    """

    def __init__(
        self,
        spec: PassSpec,
        part: DetectionRange,
        known: Sequence[FrameDetections] = (),
        feed: ObserverFeed | None = None,
    ) -> None:
        self._spec, self._part, self._known, self._feed = spec, part, known, feed
        self.pictures: dict[int, str] = {}
        self._hashed = {part.first - 1, (part.stop or 0) - 1}
        context = spec.carry_context
        self._carrying = CarryFeed(context, known) if context else None
        decisions = spec.decision_context
        self._decider = LookDecider(decisions) if decisions else None
        self._pending = PendingBatches(spec.info.video.display, spec.plans)
        self._first_asked = part.first if known else part.overlap_start
        self._next_task = 0
        self._predicates = frame_predicates(spec.plans, spec.uncertain or frozenset())
        self._local = [plan.name for plan in spec.plans if plan.name not in self._predicates]
        self._no_remote: dict[str, Sequence[int]] = dict.fromkeys(self._predicates, ())
        self._part_looks = (
            PartLooks(decisions, spec.schedule.part, {plan.name: plan.longest_side for plan in spec.plans})
            if decisions and spec.schedule and spec.schedule.part
            else None
        )

    def run(self, ensemble: DetectorEnsemble) -> Iterator[AnsweredBatch]:
        """Yield the answers, in order.

        Raises:
            SourceError: the source is unreadable or was changed; DamagedFrameError names a frame.
            DetectorError: a detector's process died, hung or failed.
            ModelError: weights are missing or are not the pinned ones.
        """
        spec, part = self._spec, self._part
        with (
            open_any(spec.source, spec.info, on_damage=spec.options.on_damage, start=part.start) as source,
            prefetch(self._read_frames(source), _PREFETCH_FRAMES) as frames,
        ):
            ensemble.set_first_ticket(self._next_task)
            for batch in read_batches(frames, part.overlap_start // BATCH_FRAMES):
                if batch.ticket * BATCH_FRAMES >= self._first_asked:
                    self._begin(batch, ensemble)
                    # Answers are handed on while frames are read: an interruption then loses only what is under way.
                    yield from self._take_answers(ensemble.take_finished(), ensemble)
                else:
                    self._skip(batch)
            yield from self._drain(ensemble)
            if self._decider is not None:
                # No look after these frames can decide about them.
                self._decide(self._decider.close(), ensemble)
                yield from self._take_complete()
                yield from self._drain(ensemble)
            self._check_source(source)

    def _drain(self, ensemble: DetectorEnsemble) -> Iterator[AnsweredBatch]:
        # An answer may lead to another look.
        while self._pending.has_tasks or self._part_looks:
            yield from self._take_answers(ensemble.drain(), ensemble)

    def _read_frames(self, source: FrameSource) -> Iterator[ScheduledFrame]:
        part, context = self._part, self._spec.decision_context
        looks = LookSchedule(
            self._spec.schedule,
            self._spec.options.tracking,
            float(Fraction(self._spec.info.video.time_base)),
            part.overlap_start,
            self._spec.info.video.first_pts if part.start else None,
        )
        # The frames before are decoded, because the frames after them depend on them.
        for one in looks.apply(self._hash_pictures(source.frames())):
            index = one.frame.index
            if index >= part.overlap_start:
                yield one
            # The next sure look decides about the last frames of the range, if it is near enough.
            is_enough = context is None or one.looked or index + 1 - (part.stop or 0) >= context.max_distance
            if part.stop is not None and index + 1 >= part.stop and is_enough:
                return

    def _hash_pictures(self, frames: Iterator[SourceFrame]) -> Iterator[SourceFrame]:
        for frame in frames:
            if frame.index in self._hashed:
                self.pictures[frame.index] = frame.sha256()
            yield frame

    def _skip(self, batch: FrameBatch) -> None:
        """Take a batch whose detections are known."""
        known = self._known[batch.ticket * BATCH_FRAMES - self._part.overlap_start :]
        if self._decider is not None:
            for one, detections in zip(batch.scheduled, known, strict=False):
                self._decider.add(one)
                self._decider.answer(one.frame.index, detections)
        if self._carrying is not None:
            self._carrying.skip(batch)

    def _begin(self, batch: FrameBatch, ensemble: DetectorEnsemble) -> None:
        """Submit the frames of a batch that are looked at in any case."""
        self._pending.add(batch)
        positions = dict.fromkeys(self._local, batch.looks) if self._spec.schedule else {}
        positions |= {name: select_positions(batch.frames, selects) for name, selects in self._predicates.items()}
        self._submit(batch.ticket, batch.frames, positions, ensemble)
        if self._decider is not None:
            for one in batch.scheduled:
                self._decider.add(one)
        if self._carrying is not None:
            self._carrying.remember(batch)
        # Of a frame that is looked at in any case: what is between looks is known later, and to carried faces alone.
        if self._feed is not None and batch.looks:
            self._feed.offer_preview(batch.ticket, batch.frames[batch.looks[0]])

    def _submit(
        self,
        ticket: int,
        frames: Sequence[SourceFrame],
        positions: Mapping[str, Sequence[int]],
        ensemble: DetectorEnsemble,
    ) -> None:
        pictures = {side: LazyRgbBatch(frames, side) for side in ensemble.input_sides}
        label = f"frames {frames[0].index} to {frames[-1].index}"
        self._pending.add_task(self._next_task, ticket, positions)
        ensemble.submit(self._next_task, pictures, label, positions)
        self._next_task += 1

    def _take_answers(
        self, finished: Iterator[tuple[int, BatchesByDetector]], ensemble: DetectorEnsemble
    ) -> Iterator[AnsweredBatch]:
        for task, answers in finished:
            if self._part_looks is not None and task in self._part_looks:
                frame, looked = self._part_looks.take_answers(task, answers)
                self._pending.decide(frame, looked=looked)
                self._submit_chosen(ensemble)
                yield from self._take_complete()
                continue
            for frame, detections in self._pending.take_answers(task, answers):
                if self._decider is not None:
                    self._decider.answer(frame, detections)
            if self._decider is not None:
                self._decide(self._decider.decide(), ensemble)
            yield from self._take_complete()

    def _take_complete(self) -> Iterator[AnsweredBatch]:
        for ticket, frames in self._pending.take_complete():
            # What follows a range is looked at only to decide about its last frames.
            if self._is_in_range(ticket * BATCH_FRAMES):
                yield AnsweredBatch(ticket, self._carrying.carry(ticket, frames) if self._carrying else frames)

    def _is_in_range(self, frame: int) -> bool:
        return self._part.stop is None or frame < self._part.stop

    def _decide(self, decisions: Iterator[Decision], ensemble: DetectorEnsemble) -> None:
        """Submit the frames that are looked at after all, whole or a part of them first."""
        for decision in decisions:
            if decision.frame < self._first_asked:
                continue
            looked = decision.looked and self._is_in_range(decision.frame)
            if not (looked and self._submit_parts(decision, ensemble)):
                self._pending.decide(decision.frame, looked=looked)
        self._submit_chosen(ensemble)

    def _submit_parts(self, decision: Decision, ensemble: DetectorEnsemble) -> bool:
        """Submit the parts of a frame that have changed; return False if it is to be looked at whole."""
        looks, unknown = self._part_looks, decision.unknown
        parts = looks.choose_parts(unknown) if looks is not None and unknown is not None else ()
        if looks is None or unknown is None or not parts:
            return False
        frame = self._pending.find_undecided(decision.frame)
        cuts = {side: looks.cut(frame, parts, side) for side in ensemble.input_sides}
        looks.add(self._next_task, decision.frame, unknown, parts)
        ensemble.submit(
            self._next_task,
            {side: pictures for side, (pictures, _) in cuts.items()},
            f"frame {decision.frame}",
            self._no_remote,
            whole={side: whole for side, (_, whole) in cuts.items()},
        )
        self._next_task += 1
        return True

    def _submit_chosen(self, ensemble: DetectorEnsemble) -> None:
        """Submit the frames that are looked at whole after all, the frames of a batch together."""
        for ticket, frames, chosen in self._pending.take_chosen():
            self._submit(ticket, frames, self._no_remote | dict.fromkeys(self._local, chosen), ensemble)

    def _check_source(self, source: FrameSource) -> None:
        """Check at the end of a range what a source that is read to its end checks itself."""
        if self._part.stop is None:
            return
        source.check_unchanged()
        if source.has_unexplained_errors:
            raise SourceError(f"{self._spec.source} cannot be decoded whole before frame {self._part.stop}.")
