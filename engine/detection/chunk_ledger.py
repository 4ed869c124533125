"""Batches of frames on their way to the detectors and back into the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count, islice

from engine.core.geometry import Box, Size
from engine.detection.assemble import on_display
from engine.detection.checkpoint import Journal, Seen
from engine.detection.observer import GLIMPSE, Glimpse, Watcher
from engine.detectors.base import Receipt
from engine.detectors.ensemble import Answers
from engine.detectors.registry import DetectorPlan
from engine.media.frame import SourceFrame
from engine.timeline.cuts import change

CHUNK = 4
"""Frames that travel to a detector together; decides speed and memory, never the answer."""


class _Chunks:
    """Joins what the detectors answer with the frames they were asked about, and keeps it in the journal."""

    def __init__(
        self,
        journal: Journal,
        display: Size,
        plans: Sequence[DetectorPlan],
        heard: Callable[[list[Mapping[str, Receipt]]], None],
        watcher: Watcher | None,
    ) -> None:
        self._watcher = watcher
        self._glimpses: dict[int, Glimpse] = {}
        self._journal, self._display, self._heard = journal, display, heard
        self._plans = {plan.name: plan for plan in plans}
        self._waiting: dict[int, list[tuple[int, bool, float]]] = {}
        self._places: dict[int, Mapping[str, Sequence[int]]] = {}

    def expect(
        self,
        ticket: int,
        frames: Sequence[SourceFrame],
        changes: Sequence[float],
        places: Mapping[str, Sequence[int]],
    ) -> None:
        rows = zip(frames, changes, strict=True)
        self._waiting[ticket] = [(frame.pts, frame.damaged, value) for frame, value in rows]
        self._places[ticket] = places
        # One at a time: frames are sent long before they are answered, and a newer picture would never be.
        if self._watcher is not None and not self._glimpses and self._watcher.wants_glimpse():
            self._glimpses = {ticket: Glimpse(frames[0].index, frames[0].rgb(GLIMPSE), self._display)}

    def tell_again(self) -> None:
        """Show what an earlier attempt had found."""
        if self._watcher is not None:
            self._watcher.found(0, tuple(self._journal.seen()), None)

    def keep(self, ticket: int, answers: Answers) -> None:
        rows, places = enumerate(self._waiting.pop(ticket)), self._places.pop(ticket)
        seen = tuple(Seen(pts, damaged, value, *self._told(answers, places, n)) for n, (pts, damaged, value) in rows)
        first = self._journal.frames
        self._journal.append(seen)
        if self._watcher is not None:
            self._watcher.found(first, seen, self._glimpses.pop(ticket, None))
        self._heard([frame.receipts for frame in seen if frame.receipts])

    def _told(
        self, answers: Answers, places: Mapping[str, Sequence[int]], number: int
    ) -> tuple[dict[str, tuple[tuple[Box, float], ...]], dict[str, Receipt]]:
        """Sightings and receipts of the detectors that were asked about the frame at place `number` of its chunk."""
        sightings, receipts = {}, {}
        for detector, chunk in answers.items():
            asked = places.get(detector, range(CHUNK))
            if number in asked:
                place = asked.index(number)
                sightings[detector] = on_display(self._plans[detector], chunk[place], self._display)
                if chunk.receipts:
                    receipts[detector] = chunk.receipts[place]
        return sightings, receipts


def _chunks(frames: Iterator[SourceFrame], skip: int) -> Iterator[tuple[int, list[SourceFrame], list[float]]]:
    """Chunks of frames with each frame's change from the one before; the first `skip` chunks only pass by."""
    previous = None
    for ticket in count():
        chunk = list(islice(frames, CHUNK))
        if not chunk:
            return
        if ticket < skip:
            previous = chunk[-1].luma_thumbnail() if ticket == skip - 1 else None
            continue
        changes = []
        for frame in chunk:
            thumbnail = frame.luma_thumbnail()
            changes.append(0.0 if previous is None else change(previous, thumbnail))
            previous = thumbnail
        yield ticket, chunk, changes
