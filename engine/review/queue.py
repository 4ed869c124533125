"""The queue of a reviewer: spots of a record that leave doubt, by falling risk, and which of them are dealt with.

Spots follow from the record alone, so that their keys stay what they are whatever is amended. One is closed by an
amendment that accepts it, or by one that changes what is masked there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from engine.core.frame_ranges import Span
from engine.core.geometry import Box
from engine.record import Count, Document, Record
from engine.review.amendments import (
    Accept,
    Add,
    Amendment,
    Cover,
    Delete,
    Extend,
    KeepVisible,
    Resize,
    Review,
    SpotKey,
    standing,
)
from engine.review.risk_rules import Kind, suspicions

State = Literal["open", "accepted", "amended"]

_MISSED: frozenset[Kind] = frozenset({"doubtful", "hole", "start", "end", "gap", "cut"})
"""Causes that a new face deals with."""


class Spot(Document, frozen=True):
    """A run of frames that leaves doubt for one cause.

    Attributes:
        key: names it, as in an amendment that accepts it: cause, track, frames.
        kind: its cause.
        track: whose; None when it is nobody's in particular.
        start: first frame.
        stop: first frame after it.
        frame: where to look first.
        box: what to look at there in display pixels, if anything.
        reason: the cause, in words for a person.
        risk: 0 to 1, a judgement made to rank: how likely, and how badly, a face could show.
        state: "accepted" or "amended" when it is dealt with.
        closed_by: number of the amendment that did.
    """

    key: SpotKey
    kind: Kind
    track: Count | None
    start: Count
    stop: Count
    frame: Count
    box: Box | None
    reason: str
    risk: float
    state: State = "open"
    closed_by: int | None = None


def spots(record: Record, review: Review | None = None) -> tuple[Spot, ...]:
    """The spots of a record, the greatest risk first, each with what the review made of it.

    Raises:
        RecordError: the review is of another record.
    """
    return marked(find_spots(record), review)


def find_spots(record: Record) -> tuple[Spot, ...]:
    """The spots of a record that nobody has reviewed, the greatest risk first."""
    found = (
        Spot(
            key=f"{one.kind}:{'-' if one.track is None else one.track}:{one.start}-{one.stop}",
            kind=one.kind,
            track=one.track,
            start=one.start,
            stop=one.stop,
            frame=one.frame,
            box=one.box,
            reason=one.reason,
            risk=round(one.risk, 3),
        )
        for one in suspicions(record)
    )
    return tuple(sorted(found, key=lambda spot: (-spot.risk, spot.start, spot.key)))


def marked(found: Iterable[Spot], review: Review | None) -> tuple[Spot, ...]:
    """Spots in the same order, each with what the review made of it."""
    closing = _Closing(standing(review.amendments) if review else ())
    return tuple(closing.mark(spot) for spot in found)


class _Closing:
    """The amendments that count, by what they can close."""

    def __init__(self, amendments: Sequence[Amendment]) -> None:
        self._accepted: dict[str, int] = {}
        self._tracks: defaultdict[int, list[tuple[Span, int]]] = defaultdict(list)
        self._covers: list[tuple[Span, int]] = []
        self._adds: list[tuple[Add, int]] = []
        for amendment in amendments:
            self._take(amendment)

    def _take(self, amendment: Amendment) -> None:
        number = amendment.number
        match amendment.action:
            case Accept(spot):
                self._accepted[spot] = number
            case Resize(track, keyframes):
                self._tracks[track].append(((keyframes[0].index, keyframes[-1].index + 1), number))
            case Delete(track, start, stop) | KeepVisible(track, start, stop) | Extend(track, start, stop):
                self._tracks[track].append(((start, stop), number))
            case Cover(start, stop):
                self._covers.append(((start, stop), number))
            case Add() as add:
                self._adds.append((add, number))

    def mark(self, spot: Spot) -> Spot:
        """The spot with its state."""
        if spot.key in self._accepted:
            return msgspec.structs.replace(spot, state="accepted", closed_by=self._accepted[spot.key])
        number = self._amended(spot)
        return spot if number is None else msgspec.structs.replace(spot, state="amended", closed_by=number)

    def _amended(self, spot: Spot) -> int | None:
        """The last amendment that changes what is masked at a spot: of its track, covering all of it, or a new face."""
        touching = [number for (start, stop), number in self._covers if start <= spot.start and spot.stop <= stop]
        if spot.track is not None:
            spans = self._tracks.get(spot.track, ())
            touching += [number for (start, stop), number in spans if start < spot.stop and spot.start < stop]
        if spot.kind in _MISSED:
            touching += [number for add, number in self._adds if _answers(add, spot)]
        return max(touching, default=None)


def _answers(add: Add, spot: Spot) -> bool:
    """Whether a new face is the one that a spot asks for: in its frames, and where there is something to look at."""
    keyframes = add.keyframes
    if keyframes[0].index >= spot.stop or keyframes[-1].index < spot.start:
        return False
    return spot.box is None or any(keyframe.box.overlap(spot.box) > 0 for keyframe in keyframes)
