"""Batches that wait for answers of the detectors, and are joined with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.core.geometry import Size
from engine.detection.batches import BATCH_FRAMES, FrameBatch
from engine.detection.frame_detections import FrameDetections
from engine.detectors.base import Receipt
from engine.detectors.ensemble import BatchesByDetector
from engine.detectors.registry import DetectorPlan
from engine.detectors.scale import scale_to_display
from engine.media.frame import SourceFrame
from engine.record import Detection


@dataclass(slots=True)
class _OpenBatch:
    """A batch that is not answered completely.

    Attributes:
        frames: pts, damaged and change of each frame.
        undecided: positions of the frames of which it is not known yet whether they are looked at.
        chosen: positions of those that are looked at after all, to be submitted.
        source_frames: the frames themselves, kept only while one of them may still be submitted.
        tasks: number of tasks that are not answered.
        by_detector, receipts: what was answered, for each frame.
    """

    frames: Sequence[tuple[int, bool, float]]
    undecided: set[int]
    source_frames: Sequence[SourceFrame]
    chosen: list[int] = field(default_factory=list)
    tasks: int = 0
    by_detector: list[dict[str, tuple[Detection, ...]]] = field(default_factory=list)
    receipts: list[dict[str, Receipt]] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return not (self.tasks or self.undecided or self.chosen)

    def join(self) -> tuple[FrameDetections, ...]:
        return tuple(
            FrameDetections(pts, damaged, change, by_detector, receipts)
            for (pts, damaged, change), by_detector, receipts in zip(
                self.frames, self.by_detector, self.receipts, strict=True
            )
        )


class PendingBatches:
    """Batches that the detectors have not answered yet.

    A batch is submitted in one task or two: the second has the frames that are looked at because of what the looks
    around them found.

    Args:
        display: display size of the video.
        plans: the detectors.
    """

    def __init__(self, display: Size, plans: Sequence[DetectorPlan]) -> None:
        self._display = display
        self._longest_sides = {plan.name: plan.longest_side for plan in plans}
        self._open: dict[int, _OpenBatch] = {}
        self._tasks: dict[int, tuple[int, Mapping[str, Sequence[int]]]] = {}

    @property
    def has_tasks(self) -> bool:
        """True if a task is not answered."""
        return bool(self._tasks)

    def add(self, batch: FrameBatch) -> None:
        """Remember a batch."""
        undecided = {position for position, one in enumerate(batch.scheduled) if one.changes}
        opened = _OpenBatch(
            [(one.frame.pts, one.frame.damaged, one.change) for one in batch.scheduled],
            undecided,
            # Pictures are large, so they are not kept while only answers are awaited.
            batch.frames if undecided else (),
        )
        opened.by_detector = [{} for _ in batch.scheduled]
        opened.receipts = [{} for _ in batch.scheduled]
        self._open[batch.ticket] = opened

    def add_task(self, task: int, batch_ticket: int, positions: Mapping[str, Sequence[int]]) -> None:
        """Remember a task that is submitted.

        Args:
            task: its number.
            batch_ticket: number of its batch.
            positions: positions of the frames that a detector is given; a detector that is absent is given all.
        """
        self._open[batch_ticket].tasks += 1
        self._tasks[task] = batch_ticket, positions

    def take_answers(self, task: int, answers: BatchesByDetector) -> Iterator[tuple[int, Sequence[Detection]]]:
        """Take the answers of all detectors to a task; yield its frames with what was found in each."""
        batch_ticket, positions = self._tasks.pop(task)
        opened = self._open[batch_ticket]
        opened.tasks -= 1
        answered = set()
        for detector, batch in answers.items():
            for number, position in enumerate(positions.get(detector, range(len(opened.frames)))):
                longest_side = self._longest_sides[detector]
                found = scale_to_display(batch.detections[number], longest_side, self._display)
                opened.by_detector[position][detector] = found
                answered.add(position)
                if batch.receipts:
                    opened.receipts[position][detector] = batch.receipts[number]
        for position in sorted(answered):
            found_by_all = [one for found in opened.by_detector[position].values() for one in found]
            yield batch_ticket * BATCH_FRAMES + position, found_by_all

    def find_undecided(self, frame: int) -> SourceFrame:
        """Return a frame that is undecided."""
        batch_ticket, position = divmod(frame, BATCH_FRAMES)
        return self._open[batch_ticket].source_frames[position]

    def decide(self, frame: int, *, looked: bool) -> None:
        """Take the decision about a frame that was undecided."""
        batch_ticket, position = divmod(frame, BATCH_FRAMES)
        opened = self._open[batch_ticket]
        opened.undecided.remove(position)
        if looked:
            opened.chosen.append(position)

    def take_chosen(self) -> Iterator[tuple[int, Sequence[SourceFrame], list[int]]]:
        """Yield the batches with frames to submit after all: number, frames, positions."""
        for batch_ticket, opened in list(self._open.items()):
            if opened.source_frames and not opened.undecided:
                frames, chosen = opened.source_frames, opened.chosen
                opened.source_frames, opened.chosen = (), []
                if chosen:
                    yield batch_ticket, frames, chosen

    def take_complete(self) -> Iterator[tuple[int, tuple[FrameDetections, ...]]]:
        """Yield the batches that are answered completely, in order; they are then forgotten."""
        while self._open and (first := next(iter(self._open.items())))[1].is_complete:
            del self._open[first[0]]
            yield first[0], first[1].join()
