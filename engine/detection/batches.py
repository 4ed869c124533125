"""Batches of frames: read from the video and converted for the detectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import NamedTuple, overload

from engine.core.picture import Rgb
from engine.detection.frame_selection import FramePredicate
from engine.detection.look_schedule import ScheduledFrame
from engine.media.frame import SourceFrame

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
        """Return the positions of the frames that local detectors look at in any case."""
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
