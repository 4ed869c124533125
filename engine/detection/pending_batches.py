"""Batches of frames on their way to the detectors and back into the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, islice

from engine.core.geometry import Size
from engine.detection.checkpoint import Checkpoint
from engine.detection.frame_detections import FrameDetections
from engine.detection.observer import PREVIEW_SIDE_PX, DetectionObserver, PreviewFrame
from engine.detectors.base import Receipt
from engine.detectors.ensemble import BatchesByDetector
from engine.detectors.registry import DetectorPlan
from engine.detectors.scale import scale_to_display
from engine.media.frame import SourceFrame
from engine.record import Detection
from engine.timeline.cuts import measure_change

BATCH_FRAMES = 4
"""Frames that travel to a detector together; decides speed and memory, never the answer."""


class PendingBatches:
    """Joins what the detectors answer with the frames they were asked about, and keeps it in the journal."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        display: Size,
        plans: Sequence[DetectorPlan],
        record_receipts: Callable[[list[Mapping[str, Receipt]]], None],
        observer: DetectionObserver | None,
    ) -> None:
        self._observer = observer
        self._previews: dict[int, PreviewFrame] = {}
        self._checkpoint, self._display, self._record_receipts = checkpoint, display, record_receipts
        self._plans = {plan.name: plan for plan in plans}
        self._pending_frames: dict[int, list[tuple[int, bool, float]]] = {}
        self._positions: dict[int, Mapping[str, Sequence[int]]] = {}

    def add_batch(
        self,
        ticket: int,
        frames: Sequence[SourceFrame],
        changes: Sequence[float],
        positions: Mapping[str, Sequence[int]],
    ) -> None:
        """Remember what is known of the frames of a batch that was handed to the detectors."""
        rows = zip(frames, changes, strict=True)
        self._pending_frames[ticket] = [(frame.pts, frame.damaged, value) for frame, value in rows]
        self._positions[ticket] = positions
        # One at a time: frames are sent long before they are answered, and a newer picture would never be.
        if self._observer is not None and not self._previews and self._observer.wants_preview():
            self._previews = {ticket: PreviewFrame(frames[0].index, frames[0].rgb(PREVIEW_SIDE_PX), self._display)}

    def replay_to_observer(self) -> None:
        """Show what an earlier attempt had found."""
        if self._observer is not None:
            self._observer.on_detections(0, tuple(self._checkpoint.read_frames()), None)

    def store_answers(self, ticket: int, answers: BatchesByDetector) -> None:
        """Store the answers of all detectors about a batch in the checkpoint."""
        rows, places = enumerate(self._pending_frames.pop(ticket)), self._positions.pop(ticket)
        seen = tuple(
            FrameDetections(pts, damaged, value, *self._answers_for_frame(answers, places, n))
            for n, (pts, damaged, value) in rows
        )
        first = self._checkpoint.frame_count
        self._checkpoint.append_batch(seen)
        if self._observer is not None:
            self._observer.on_detections(first, seen, self._previews.pop(ticket, None))
        self._record_receipts([frame.receipts for frame in seen if frame.receipts])

    def _answers_for_frame(
        self, answers: BatchesByDetector, positions: Mapping[str, Sequence[int]], number: int
    ) -> tuple[dict[str, tuple[Detection, ...]], dict[str, Receipt]]:
        """Sightings and receipts of the detectors that were asked about the frame at place `number` of its chunk."""
        by_detector, receipts = {}, {}
        for detector, chunk in answers.items():
            asked = positions.get(detector, range(BATCH_FRAMES))
            if number in asked:
                place = asked.index(number)
                by_detector[detector] = scale_to_display(
                    chunk.detections[place], self._plans[detector].longest_side, self._display
                )
                if chunk.receipts:
                    receipts[detector] = chunk.receipts[place]
        return by_detector, receipts


def read_batches(
    frames: Iterator[SourceFrame], skip_batches: int
) -> Iterator[tuple[int, list[SourceFrame], list[float]]]:
    """Chunks of frames with each frame's change from the one before; the first `skip_batches` chunks only pass by."""
    previous = None
    for ticket in count():
        chunk = list(islice(frames, BATCH_FRAMES))
        if not chunk:
            return
        if ticket < skip_batches:
            previous = chunk[-1].luma_thumbnail() if ticket == skip_batches - 1 else None
            continue
        changes = []
        for frame in chunk:
            thumbnail = frame.luma_thumbnail()
            changes.append(0.0 if previous is None else measure_change(previous, thumbnail))
            previous = thumbnail
        yield ticket, chunk, changes
