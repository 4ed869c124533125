"""Detectors that look at frames, and at parts of frames, of an output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import NamedTuple, Self

import cv2
import numpy as np

from engine.assurance.leak_check.report import Glimpse
from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.detectors.base import Sighting
from engine.detectors.ensemble import Answers, Crew
from engine.detectors.registry import DetectorPlan
from engine.media.frame import SourceFrame

PART_SIDE = 256
"""Longest side, in pixels, to which parts of frames are brought: a face is about a third of it."""


class Sight(NamedTuple):
    """What is shown to the detectors: a frame, whole or the part in `region`."""

    frame: SourceFrame
    region: Box | None


class _Asked(NamedTuple):
    frame: int
    region: Box
    sizes: Mapping[int | None, Size]


class Lookouts:
    """Shows frames, and parts of frames, to detectors in processes of their own, and hears what they found.

    Use as a context manager, from one thread.

    Args:
        plans: the detectors.
        crew: what runs them; it is started, and ended with the block.
        display: size of the frames, in display pixels.

    Raises:
        DetectorError: a worker died, hung or failed.
        ModelError: weights are missing or not the pinned ones.
    """

    def __init__(self, plans: Sequence[DetectorPlan], crew: AbstractContextManager[Crew], display: Size) -> None:
        self._plans, self._starting, self._display = plans, crew, display
        self._asked: dict[int, _Asked] = {}
        self._glimpses: list[Glimpse] = []
        self._next = self._told = 0

    def __enter__(self) -> Self:
        self._crew = self._starting.__enter__()
        self._crew.start_at(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._starting.__exit__(kind, error, trace)

    def show(self, sights: Sequence[Sight]) -> None:
        """Hand sights of one frame to every detector; waits while one has no room."""
        full = sights[0].frame.rgb(None) if any(sight.region for sight in sights) else None
        for sight in sights:
            pictures = {side: self._picture(sight, side, full) for side in self._crew.sides}
            sizes = {side: Size(picture.shape[1], picture.shape[0]) for side, picture in pictures.items()}
            region = sight.region or Box(0, 0, self._display.width, self._display.height)
            self._asked[self._next] = _Asked(sight.frame.index, region, sizes)
            label = f"frame {sight.frame.index} of the output"
            self._crew.submit(self._next, {side: [picture] for side, picture in pictures.items()}, label)
            self._next += 1
        self._hear(self._crew.finished())

    def news(self) -> list[Glimpse]:
        """What was found and not yet told by this; does not wait."""
        told, self._told = self._told, len(self._glimpses)
        return self._glimpses[told:]

    def rest(self) -> list[Glimpse]:
        """Wait for every answer; all that was found, in the order in which it was shown."""
        self._hear(self._crew.rest())
        return list(self._glimpses)

    def _picture(self, sight: Sight, side: int | None, full: Rgb | None) -> Rgb:
        if sight.region is None or full is None:
            return sight.frame.rgb(side)
        left, top, right, bottom = _pixels(sight.region, self._display)
        part = full[top:bottom, left:right]
        longest = max(part.shape[:2])
        wanted = PART_SIDE if side is None else min(PART_SIDE, side)
        size = tuple(max(1, round(length * wanted / longest)) for length in (part.shape[1], part.shape[0]))
        method = cv2.INTER_AREA if wanted < longest else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, size, interpolation=method), np.uint8)

    def _hear(self, answers: Iterator[tuple[int, Answers]]) -> None:
        for ticket, answer in answers:
            asked = self._asked.pop(ticket)
            for plan in self._plans:
                seen = asked.sizes[plan.longest_side]
                for sighting in answer[plan.name][0]:
                    self._note(plan.name, sighting, asked, seen)

    def _note(self, detector: str, sighting: Sighting, asked: _Asked, seen: Size) -> None:
        left, top, right, bottom = _pixels(asked.region, self._display)
        box = sighting.box.stretched((right - left) / seen.width, (bottom - top) / seen.height)
        placed = Box(box.left + left, box.top + top, box.right + left, box.bottom + top).rounded(self._display)
        if placed is not None:
            self._glimpses.append(Glimpse(asked.frame, placed, round(sighting.score, 4), detector))


def _pixels(region: Box, display: Size) -> tuple[int, int, int, int]:
    left, top, right, bottom = region.pixels()
    return max(0, left), max(0, top), min(display.width, right), min(display.height, bottom)
