"""What a review has looked at: which frames were seen by whom, and what share of the risk lies in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from engine.core.frame_ranges import Span, named, united
from engine.errors import RecordError
from engine.record import Document, Record
from engine.review.queue import Spot


class SpotSeen(Document, frozen=True):
    """How much of a spot was looked at.

    Attributes:
        key: of the spot.
        frames: how many it has.
        seen: how many of them were seen by anybody.
        by: accounts of those who saw some of it.
    """

    key: str
    frames: int
    seen: int
    by: tuple[str, ...]


class ReviewCoverage(Document, frozen=True):
    """What of a record was looked at.

    Attributes:
        frames: how many the record has.
        seen: how many of them were seen by anybody.
        risk_seen: share of the risk of all spots that was looked at, 0 to 1, a spot counting by the share of its
            frames; 1 when there are no spots.
        risk_closed: share of the risk of all spots that is accepted or amended.
        open_unseen: keys of the open spots of which nothing was seen, the greatest risk first.
        by: the frames that each account saw, as half-open ranges.
        spots: each spot in the order that was given.
    """

    frames: int
    seen: int
    risk_seen: float
    risk_closed: float
    open_unseen: tuple[str, ...]
    by: Mapping[str, tuple[Span, ...]]
    spots: tuple[SpotSeen, ...]


def coverage(record: Record, spots: Sequence[Spot], viewed: Mapping[str, Iterable[Span]]) -> ReviewCoverage:
    """What was looked at.

    Args:
        record: what is reviewed.
        spots: of that record, with their state.
        viewed: by account, half-open ranges of the frames that a person really saw.

    Raises:
        RecordError: frames are said to have been seen that the record does not have.
    """
    by = {account: united(_checked(spans, len(record.frames))) for account, spans in viewed.items()}
    seen = _Seen(len(record.frames), (span for spans in by.values() for span in spans))
    looked = tuple(_looked(spot, seen, by) for spot in spots)
    whole = sum(spot.risk for spot in spots)
    share = sum(spot.risk * one.seen / one.frames for spot, one in zip(spots, looked, strict=True))
    closed = sum(spot.risk for spot in spots if spot.state != "open")
    return ReviewCoverage(
        frames=len(record.frames),
        seen=seen.within(0, len(record.frames)),
        risk_seen=share / whole if whole else 1.0,
        risk_closed=closed / whole if whole else 1.0,
        open_unseen=tuple(
            spot.key for spot, one in zip(spots, looked, strict=True) if spot.state == "open" and not one.seen
        ),
        by=by,
        spots=looked,
    )


class _Seen:
    """How many frames of a range were seen by anybody."""

    def __init__(self, frames: int, spans: Iterable[Span]) -> None:
        flags = bytearray(frames)
        for start, stop in spans:
            flags[start:stop] = b"\1" * (stop - start)
        self._before = [0, *accumulate(flags)]

    def within(self, start: int, stop: int) -> int:
        return self._before[stop] - self._before[start]


def _looked(spot: Spot, seen: _Seen, by: Mapping[str, Sequence[Span]]) -> SpotSeen:
    count = seen.within(spot.start, spot.stop)
    who = (
        account
        for account, spans in sorted(by.items())
        if count and any(start < spot.stop and spot.start < stop for start, stop in spans)
    )
    return SpotSeen(spot.key, spot.stop - spot.start, count, tuple(who))


def _checked(spans: Iterable[Span], frames: int) -> Iterable[Span]:
    for start, stop in spans:
        if not 0 <= start < stop <= frames:
            raise RecordError(f"{named(start, stop)} are said to have been seen, and the record has {frames} frames.")
        yield start, stop
