"""Ranges of frames as half-open pairs of indices: grouping, merging, expanding, and words for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

FrameRange = tuple[int, int]
"""The first frame, and the first frame after the range."""


def group_frames(indices: Iterable[int], max_gap_frames: int = 0) -> Iterator[FrameRange]:
    """Group rising frame indices into ranges; a gap of up to `max_gap_frames` missing frames does not end a range."""
    start = stop = None
    for index in indices:
        # The first frame, or one too far behind the open range: the open range is complete.
        if start is None or stop is None or index > stop + max_gap_frames:
            if start is not None and stop is not None:
                yield start, stop
            start = index
        stop = index + 1
    if start is not None and stop is not None:
        yield start, stop


def merge_ranges(ranges: Iterable[FrameRange]) -> tuple[FrameRange, ...]:
    """Sort ranges and join those that overlap or touch."""
    merged: list[FrameRange] = []
    for start, stop in sorted(ranges):
        # Sorted by start, so only the last range can overlap or touch the next one.
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], stop)
        else:
            merged.append((start, stop))
    return tuple(merged)


def expand_ranges(ranges: Iterable[FrameRange]) -> frozenset[int]:
    """Return the indices of all frames in the ranges."""
    return frozenset(index for start, stop in ranges for index in range(start, stop))


def flag_ranges(ranges: Iterable[FrameRange], frame_count: int) -> bytearray:
    """Return for every frame 1 if it lies in one of the ranges, else 0; takes less memory than `expand_ranges`."""
    flags = bytearray(frame_count)
    for start, stop in ranges:
        flags[start:stop] = b"\1" * (stop - start)
    return flags


def describe_range(start: int, stop: int) -> str:
    """Describe a range in words, such as "frame 7" or "frames 7 to 9"."""
    return f"frame {start}" if stop == start + 1 else f"frames {start} to {stop - 1}"
