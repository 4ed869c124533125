"""What a review has looked at: which frames were seen by whom, and what share of the risk lies in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from engine.core.frame_ranges import FrameRange, describe_range, merge_ranges
from engine.errors import RecordError
from engine.record import Document, Record
from engine.review.queue import ReviewItem


class ReviewItemCoverage(Document, frozen=True):
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
    by: Mapping[str, tuple[FrameRange, ...]]
    spots: tuple[ReviewItemCoverage, ...]


def measure_coverage(
    record: Record, items: Sequence[ReviewItem], viewed_ranges: Mapping[str, Iterable[FrameRange]]
) -> ReviewCoverage:
    """What was looked at.

    Args:
        record: what is reviewed.
        items: of that record, with their state.
        viewed_ranges: by account, half-open ranges of the frames that a person really saw.

    Raises:
        RecordError: frames are said to have been seen that the record does not have.
    """
    by = {account: merge_ranges(_check_ranges(spans, len(record.frames))) for account, spans in viewed_ranges.items()}
    seen = _SeenFrames(len(record.frames), (span for spans in by.values() for span in spans))
    looked = tuple(_measure_item(spot, seen, by) for spot in items)
    whole = sum(spot.risk for spot in items)
    share = sum(spot.risk * one.seen / one.frames for spot, one in zip(items, looked, strict=True))
    closed = sum(spot.risk for spot in items if spot.state != "open")
    return ReviewCoverage(
        frames=len(record.frames),
        seen=seen.count_seen(0, len(record.frames)),
        risk_seen=share / whole if whole else 1.0,
        risk_closed=closed / whole if whole else 1.0,
        open_unseen=tuple(
            spot.key for spot, one in zip(items, looked, strict=True) if spot.state == "open" and not one.seen
        ),
        by=by,
        spots=looked,
    )


class _SeenFrames:
    """How many frames of a range were seen by anybody."""

    def __init__(self, frame_count: int, ranges: Iterable[FrameRange]) -> None:
        flags = bytearray(frame_count)
        for start, stop in ranges:
            flags[start:stop] = b"\1" * (stop - start)
        self._cumulative_counts = [0, *accumulate(flags)]

    def count_seen(self, start: int, stop: int) -> int:
        return self._cumulative_counts[stop] - self._cumulative_counts[start]


def _measure_item(
    item: ReviewItem, seen: _SeenFrames, ranges_by_account: Mapping[str, Sequence[FrameRange]]
) -> ReviewItemCoverage:
    count = seen.count_seen(item.start, item.stop)
    who = (
        account
        for account, spans in sorted(ranges_by_account.items())
        if count and any(start < item.stop and item.start < stop for start, stop in spans)
    )
    return ReviewItemCoverage(item.key, item.stop - item.start, count, tuple(who))


def _check_ranges(ranges: Iterable[FrameRange], frame_count: int) -> Iterable[FrameRange]:
    for start, stop in ranges:
        if not 0 <= start < stop <= frame_count:
            raise RecordError(
                f"{describe_range(start, stop)} are said to have been seen, and the record has {frame_count} frames."
            )
        yield start, stop
