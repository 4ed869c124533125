"""Feeds a carrier with the frames and answers of a range of frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from engine.detection.batches import FrameBatch
from engine.detection.carry import Carrier, CarryContext, CarryInput
from engine.detection.frame_detections import FrameDetections
from engine.detection.look_schedule import ScheduledFrame


class CarryFeed:
    """Gives each frame to a carrier when it is answered, and keeps its grey picture until then.

    Args:
        context: what the carrier needs to know.
        known: detections of the first frames, if they are there already: what is carried begins in them, too.
    """

    def __init__(self, context: CarryContext, known: Sequence[FrameDetections]) -> None:
        self._carrier = Carrier(context)
        self._known = deque(known)
        self._waiting: dict[int, Sequence[CarryInput]] = {}

    def skip(self, batch: FrameBatch) -> None:
        """Take a batch whose detections are known; what was carried into it is known as well."""
        for one in batch.scheduled:
            self._carrier.take(_make_input(one), self._known.popleft())

    def remember(self, batch: FrameBatch) -> None:
        """Keep the grey pictures of a batch that was submitted."""
        self._waiting[batch.ticket] = [_make_input(one) for one in batch.scheduled]

    def carry(self, ticket: int, frames: Sequence[FrameDetections]) -> tuple[FrameDetections, ...]:
        """Return the answered frames of the next batch with the paths that end in them."""
        return tuple(
            replace(frame, carried=self._carrier.take(given, frame))
            for given, frame in zip(self._waiting.pop(ticket), frames, strict=True)
        )


def _make_input(scheduled: ScheduledFrame) -> CarryInput:
    assert scheduled.grey is not None, "the schedule makes grey pictures from the first frame on that is detected"
    return CarryInput(scheduled.frame.index, scheduled.grey, scheduled.is_last)
