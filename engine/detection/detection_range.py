"""Division of a pass into ranges of frames that can be detected apart from each other, with the same result.

Where local detectors look is decided from a frame, the one before and the one after. Which faces are carried into a
frame depends on the looks within the longest time of carrying before it. So a range can begin anywhere if the frames of
that time, the overlap, are detected too; those detections belong to the range before, and both must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from engine.detection.batches import BATCH_FRAMES
from engine.media.source.start_points import StartPoint

_RANGES_PER_SLOT = 1.25
"""The next range takes the share of the rest of the video that gives each slot so many such ranges: long ranges first,
as each costs an overlap, and short ones at the end, so that all slots finish at the same time. A greater number would
help slots of different speed, and one cluster has one kind of processor."""
_MIN_RANGE_OVERLAPS = 4
"""Least length of a range in overlaps, which bounds what is detected twice."""
_MAX_RANGE_FRAMES = 1500
"""Greatest length of a range: its detections are lost with its worker, and lie in memory until they are stored."""


class DetectionRange(NamedTuple):
    """Successive frames that are detected together.

    Attributes:
        start: keyframe from which the video is decoded. None: its beginning.
        overlap_start: first frame that is detected, at most `first`.
        first: first frame whose detections count; begins a batch.
        stop: one past the last frame. None: the end of the video.
    """

    start: StartPoint | None
    overlap_start: int
    first: int
    stop: int | None


def rest_of_video(first: int, overlap_frames: int) -> DetectionRange:
    """Return everything from a frame on as one range that is decoded from the beginning."""
    return DetectionRange(None, max(0, first - overlap_frames), first, None)


def plan_ranges(
    start_points: Iterable[StartPoint],
    first: int,
    frame_count: int,
    overlap_frames: int,
    count_slots: Callable[[], int],
) -> Iterator[DetectionRange]:
    """Divide the frames from `first` on into ranges, in order; each is yielded when its end is known.

    Args:
        start_points: keyframes in order; they may come slowly, as the file is read meanwhile.
        first: first frame whose detections are not there yet; begins a batch.
        frame_count: expected number of frames of the video.
        overlap_frames: number of frames before a range that are detected with it.
        count_slots: returns how many ranges are detected at once.
    """
    current = rest_of_video(first, overlap_frames)
    least = _MIN_RANGE_OVERLAPS * overlap_frames
    for point in start_points:
        # The frame before the overlap is decoded as well: the first frame of the overlap is compared with it.
        begin = _round_up_to_batch(point.index + 1 + overlap_frames)
        if begin <= first:
            current = current._replace(start=point)
        elif begin - current.first >= _choose_length(frame_count - current.first, count_slots(), least):
            # A short rest would cost an overlap and save nobody time.
            if frame_count - begin < least / 2:
                break
            yield current._replace(stop=begin)
            current = DetectionRange(point, begin - overlap_frames, begin, None)
    yield current


def _choose_length(remaining_frames: int, slots: int, least: int) -> float:
    return max(least, min(_MAX_RANGE_FRAMES, remaining_frames / (_RANGES_PER_SLOT * max(1, slots))))


def _round_up_to_batch(frame: int) -> int:
    return -(-frame // BATCH_FRAMES) * BATCH_FRAMES
