"""Coverage of a review: the frames that each person viewed, and the share of the risk in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from engine.core.frame_ranges import FrameRange, describe_range, flag_ranges, merge_ranges
from engine.errors import RecordError
from engine.record import Document, Record
from engine.review.queue import ReviewItem


class ReviewItemCoverage(Document, frozen=True):
    """How much of an item to check was viewed.

    Attributes:
        key: Key of the item.
        frames: Number of its frames.
        seen: Number of its frames that at least one person viewed.
        by: Accounts that viewed a part of it.
    """

    key: str
    frames: int
    seen: int
    by: tuple[str, ...]


class ReviewCoverage(Document, frozen=True):
    """How much of a record was viewed.

    Attributes:
        frames: Number of frames of the record.
        seen: Number of frames that at least one person viewed.
        risk_seen: Share of the risk of all items that was viewed, 0 to 1. An item counts in proportion to its viewed
            frames. 1 if there are no items.
        risk_closed: Share of the risk of all items that were accepted or amended, 0 to 1.
        open_unseen: Keys of the open items of which no frame was viewed, greatest risk first.
        by: The frames that each account viewed, as half-open ranges.
        spots: The coverage of each item, in the order given.
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
    """Measure how much of a record was viewed.

    Args:
        record: The record under review.
        items: Its items to check, with their state.
        viewed_ranges: Half-open ranges of the frames that each account viewed.

    Raises:
        RecordError: A range lies outside of the record.
    """
    by = {account: merge_ranges(_check_ranges(spans, len(record.frames))) for account, spans in viewed_ranges.items()}
    seen = _SeenFrames(len(record.frames), (span for spans in by.values() for span in spans))
    looked = tuple(_measure_item(spot, seen, by) for spot in items)
    whole = sum(spot.risk for spot in items)
    # An item of which half the frames were viewed counts half: one glance at a long range is not a review of it.
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
    """Counts the viewed frames of a range in constant time, by cumulative sums."""

    def __init__(self, frame_count: int, ranges: Iterable[FrameRange]) -> None:
        # Ranges of several people overlap, so frames are flagged before they are counted.
        self._cumulative_counts = [0, *accumulate(flag_ranges(ranges, frame_count))]

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
                f"{describe_range(start, stop)} cannot have been viewed: the record has {frame_count} frames."
            )
        yield start, stop
