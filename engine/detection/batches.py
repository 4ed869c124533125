"""Batches of frames: read from the video, converted for the detectors, and joined with their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from typing import NamedTuple, overload

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detection.frame_detections import FrameDetections
from engine.detection.frame_selection import FramePredicate
from engine.detection.look_schedule import ScheduledFrame
from engine.detectors.base import Receipt
from engine.detectors.ensemble import BatchesByDetector
from engine.detectors.registry import DetectorPlan
from engine.detectors.scale import scale_to_display
from engine.media.frame import SourceFrame
from engine.record import Detection

BATCH_FRAMES = 4
"""Frames that go to a detector together. The number decides speed and memory, never an answer."""


class FrameBatch(NamedTuple):
    """Successive frames of the video.

    Attributes:
        ticket: number of the batch, counted from the start of the video.
        scheduled: the frames, each with what was decided about it; `BATCH_FRAMES` of them except in the last batch.
    """

    ticket: int
    scheduled: Sequence[ScheduledFrame]

    @property
    def frames(self) -> list[SourceFrame]:
        """Return the frames themselves."""
        return [one.frame for one in self.scheduled]

    @property
    def looks(self) -> list[int]:
        """Return the positions of the frames that local detectors look at."""
        return [position for position, one in enumerate(self.scheduled) if one.looked]


def read_batches(frames: Iterator[ScheduledFrame], first_ticket: int = 0) -> Iterator[FrameBatch]:
    """Read frames in batches, from the first frame of the batch `first_ticket` on."""
    for ticket in count(first_ticket):
        batch = list(islice(frames, BATCH_FRAMES))
        if not batch:
            return
        yield FrameBatch(ticket, batch)


class LazyRgbBatch(Sequence[Rgb]):
    """The frames of a batch as RGB pictures; each is converted when it is first read.

    A frame that no detector of this size is given is never converted: that costs about as much as decoding it.

    Args:
        frames: the frames.
        longest_side_px: longest side of the pictures. None: full size.
    """

    def __init__(self, frames: Sequence[SourceFrame], longest_side_px: int | None) -> None:
        self._frames, self._longest_side_px = frames, longest_side_px
        self._converted: dict[int, Rgb] = {}

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, position: int) -> Rgb: ...

    @overload
    def __getitem__(self, position: slice) -> list[Rgb]: ...

    def __getitem__(self, position: int | slice) -> Rgb | list[Rgb]:
        if isinstance(position, slice):
            return [self[number] for number in range(*position.indices(len(self)))]
        if position not in self._converted:
            self._converted[position] = self._frames[position].rgb(self._longest_side_px)
        return self._converted[position]


def select_positions(frames: Sequence[SourceFrame], is_selected: FramePredicate) -> list[int]:
    """Return the positions in a batch of the frames that a remote detector is given.

    Damaged frames are never sent: they are covered whole, so an answer would only cost money and privacy.
    """
    return [position for position, frame in enumerate(frames) if is_selected(frame.index) and not frame.damaged]


class _PendingBatch(NamedTuple):
    frames: Sequence[tuple[int, bool, float]]
    """pts, damaged and change of each frame; the pictures themselves are not kept while answers are awaited."""
    positions: Mapping[str, Sequence[int]]


class PendingBatches:
    """Batches that the detectors have not answered yet.

    Args:
        display: display size of the video.
        plans: the detectors.
    """

    def __init__(self, display: Size, plans: Sequence[DetectorPlan]) -> None:
        self._display = display
        self._longest_sides = {plan.name: plan.longest_side for plan in plans}
        self._pending: dict[int, _PendingBatch] = {}

    def add(self, batch: FrameBatch, positions: Mapping[str, Sequence[int]]) -> None:
        """Remember a batch that was submitted.

        Args:
            batch: the batch.
            positions: positions of the frames that a detector is given; a detector that is absent is given all.
        """
        facts = [(one.frame.pts, one.frame.damaged, one.change) for one in batch.scheduled]
        self._pending[batch.ticket] = _PendingBatch(facts, positions)

    def join_answers(self, ticket: int, answers: BatchesByDetector) -> tuple[FrameDetections, ...]:
        """Join the answers of all detectors with the frames of their batch, which is then forgotten."""
        batch = self._pending.pop(ticket)
        return tuple(
            FrameDetections(pts, damaged, change, *self._collect_frame(answers, batch.positions, position))
            for position, (pts, damaged, change) in enumerate(batch.frames)
        )

    def _collect_frame(
        self, answers: BatchesByDetector, positions: Mapping[str, Sequence[int]], position: int
    ) -> tuple[dict[str, tuple[Detection, ...]], dict[str, Receipt]]:
        """Return detections and receipts, by detector, of the frame at a position of its batch."""
        by_detector, receipts = {}, {}
        for detector, batch in answers.items():
            given = positions.get(detector, range(BATCH_FRAMES))
            if position in given:
                # An answer has one entry for each frame that the detector was given, which may be fewer than all.
                number = given.index(position)
                longest_side = self._longest_sides[detector]
                by_detector[detector] = scale_to_display(batch.detections[number], longest_side, self._display)
                if batch.receipts:
                    receipts[detector] = batch.receipts[number]
        return by_detector, receipts
