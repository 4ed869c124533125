"""Ranges of frames: half-open pairs of indices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

FrameRange = tuple[int, int]
"""First frame, and first frame after it."""


def group_frames(indices: Iterable[int], max_gap_frames: int = 0) -> Iterator[FrameRange]:
    """Rising frame indices as ranges; up to `max_gap_frames` missing ones do not end a range."""
    start = stop = None
    for index in indices:
        if start is None or stop is None or index > stop + max_gap_frames:
            if start is not None and stop is not None:
                yield start, stop
            start = index
        stop = index + 1
    if start is not None and stop is not None:
        yield start, stop


def merge_ranges(ranges: Iterable[FrameRange]) -> tuple[FrameRange, ...]:
    """Ranges in order, those that overlap or touch made one."""
    whole: list[FrameRange] = []
    for start, stop in sorted(ranges):
        if whole and start <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(whole[-1][1], stop)
        else:
            whole.append((start, stop))
    return tuple(whole)


def describe_range(start: int, stop: int) -> str:
    """A range in words, as "frame 7" or "frames 7 to 9"."""
    return f"frame {start}" if stop == start + 1 else f"frames {start} to {stop - 1}"
