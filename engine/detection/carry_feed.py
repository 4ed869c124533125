"""Feeds a carrier with the frames and answers of a pass, also after an interruption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from engine.detection.batches import FrameBatch
from engine.detection.carry import Carrier, CarryContext, CarryInput
from engine.detection.checkpoint import Checkpoint
from engine.detection.frame_detections import FrameDetections
from engine.detection.look_schedule import ScheduledFrame


class CarryFeed:
    """Gives each frame to a carrier when it is answered, and keeps its grey picture until then.

    Args:
        context: what the carrier needs to know.
        checkpoint: what an earlier attempt finished, open.

    Attributes:
        first_frame: frame from which on grey pictures are needed: after an interruption, a face may still be on its way
            from there.
    """

    def __init__(self, context: CarryContext, checkpoint: Checkpoint) -> None:
        self._carrier = Carrier(context)
        self.first_frame = max(0, checkpoint.frame_count - context.max_frames - 1)
        self._finished = tuple(islice(checkpoint.read_frames(), self.first_frame, None))
        self._waiting: dict[int, Sequence[CarryInput]] = {}

    def skip(self, batch: FrameBatch) -> None:
        """Take a batch that an earlier attempt finished; what it carried is in the checkpoint."""
        for one in batch.scheduled:
            position = one.frame.index - self.first_frame
            if position >= 0:
                self._carrier.take(_make_input(one), self._finished[position])

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
    assert scheduled.grey is not None, "the schedule makes grey pictures from `first_frame` on"
    return CarryInput(scheduled.frame.index, scheduled.grey, scheduled.is_last)
