"""What is added to what was seen: gaps are filled, tracks begin earlier and end later, boxes are steadied.

Nothing here ever takes away: a steadied box contains the box it was made from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.record import Origin, SmoothingSettings

Boxes = NDArray[np.float64]
"""Shape (n, 4): left, top, right, bottom in display pixels."""
FrameIndices = NDArray[np.int64]
"""Shape (n,): rising frame indices."""

ORIGINS: tuple[Origin, ...] = ("extended", "interpolated", "detected")
"""What the numbers in `Course.origins` mean."""
_ABSENT, _EXTENDED, _INTERPOLATED, _DETECTED = -1, 0, 1, 2


class TrackPath(NamedTuple):
    """Where one track's face is: frame indices, boxes (not yet clipped), and places in `ORIGINS`, each of length n."""

    frames: FrameIndices
    boxes: Boxes
    origins: NDArray[np.int8]


def smooth_track(frames: FrameIndices, boxes: Boxes, scene: tuple[int, int], settings: SmoothingSettings) -> TrackPath:
    """The course of one track from its sightings.

    Args:
        frames: where it was seen.
        boxes: what was seen there; each is contained in the course's box of that frame.
        scene: first frame of its scene and first frame after it; the course stays between them.
        settings: how far to fill, extend and steady.
    """
    most = settings.trust * len(frames)
    before, after = min(settings.lead, most), min(settings.tail, most)
    first = max(scene[0], int(frames[0]) - before)
    last = min(scene[1] - 1, int(frames[-1]) + after)
    course = np.full((last - first + 1, 4), np.nan)
    origins = np.full(last - first + 1, _ABSENT, dtype=np.int8)
    parts = list(_split_at_gaps(frames - first, boxes, settings))
    for start, dense, seen in parts:
        course[start : start + len(dense)] = steady_boxes(dense, settings.window)
        origins[start : start + len(dense)] = np.where(seen, _DETECTED, _INTERPOLATED)
    for start, dense, _ in parts:
        stop = start + len(dense)
        lead, tail = min(before, start), min(after, len(course) - stop)
        _cover_extension(
            course, origins, start - 1 - np.arange(lead), _extrapolate_boxes(course[start:stop], lead, settings)
        )
        _cover_extension(
            course, origins, stop + np.arange(tail), _extrapolate_boxes(course[start:stop][::-1], tail, settings)
        )
    present = np.flatnonzero(origins != _ABSENT)
    return TrackPath(present + first, grow_boxes(course[present], settings), origins[present])


def path_without_smoothing(frames: FrameIndices, boxes: Boxes) -> TrackPath:
    """The course that adds nothing to what was seen."""
    return TrackPath(frames, boxes, np.full(len(frames), _DETECTED, dtype=np.int8))


def grow_boxes(boxes: Boxes, settings: SmoothingSettings) -> Boxes:
    """Boxes grown about their centres: until broad enough, then by the margin."""
    sides = boxes[:, 2:] - boxes[:, :2]
    wanted = np.maximum(sides, sides.max(axis=1, keepdims=True) * settings.breadth) * (1 + 2 * settings.margin)
    more = (wanted - sides) / 2
    larger: Boxes = boxes + np.hstack([-more, more])
    return larger


def steady_boxes(boxes: Boxes, window_frames: int) -> Boxes:
    """Boxes of successive frames made steady over `window_frames` frames to each side, each containing the one it came
    from.

    The path of the centre is averaged; around it each edge takes the farthest place it had within the window, averaged
    over the window once more. Every value in that second average is at least as far out as the edge itself.
    """
    if window_frames == 0 or len(boxes) < 2:
        return boxes
    path = np.tile(_average_path((boxes[:, :2] + boxes[:, 2:]) / 2, window_frames), 2)
    outward = (boxes - path) * _OUTWARD
    farthest = _sliding_windows(outward, window_frames).max(axis=-1)
    steadied = path + _sliding_windows(farthest, window_frames).mean(axis=-1) * _OUTWARD
    covering: Boxes = np.where(_OUTWARD < 0, np.minimum(steadied, boxes), np.maximum(steadied, boxes))
    return covering


_OUTWARD = np.array([-1.0, -1.0, 1.0, 1.0])


def _split_at_gaps(
    frames: FrameIndices, boxes: Boxes, settings: SmoothingSettings
) -> Iterator[tuple[int, Boxes, NDArray[np.bool_]]]:
    """Stretches without a gap too long to fill: first frame, a box for every frame, and where the face was seen."""
    breaks = np.flatnonzero(np.diff(frames) > settings.gap + 1) + 1
    for some, there in zip(np.split(frames, breaks), np.split(boxes, breaks), strict=True):
        every = np.arange(some[0], some[-1] + 1)
        dense = np.stack([np.interp(every, some, edge) for edge in there.T], axis=1)
        dense[some - some[0]] = there
        yield int(some[0]), dense, np.isin(every, some, assume_unique=True)


def _extrapolate_boxes(boxes: Boxes, count: int, settings: SmoothingSettings) -> Boxes:
    """`count` boxes that go on from the first of `boxes` backwards, slower and slower."""
    steps = min(settings.horizon, len(boxes) - 1)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    speed = (centres[0] - centres[steps]) / steps if steps else np.zeros(2)
    travel = np.cumsum(settings.damping ** np.arange(1, count + 1))
    ahead: Boxes = boxes[0] + np.tile(travel[:, None] * speed, 2)
    return ahead


def _cover_extension(path_boxes: Boxes, origins: NDArray[np.int8], frames: FrameIndices, boxes: Boxes) -> None:
    """Write extended boxes where nothing better is known; where two extensions meet, cover both."""
    free = origins[frames] <= _EXTENDED
    frames, boxes = frames[free], boxes[free]
    path_boxes[frames, :2] = np.fmin(path_boxes[frames, :2], boxes[:, :2])
    path_boxes[frames, 2:] = np.fmax(path_boxes[frames, 2:], boxes[:, 2:])
    origins[frames] = _EXTENDED


def _average_path(centres: Boxes, window_frames: int) -> Boxes:
    """Moving average that leaves uniform motion as it is, also at both ends."""
    pad = min(window_frames, len(centres) - 1)
    padded = np.pad(centres, ((pad, pad), (0, 0)), mode="reflect", reflect_type="odd")
    averaged: Boxes = sliding_window_view(padded, 2 * pad + 1, axis=0).mean(axis=-1)
    return averaged


def _sliding_windows(values: Boxes, window_frames: int) -> Boxes:
    padded = np.pad(values, ((window_frames, window_frames), (0, 0)), mode="edge")
    windows: Boxes = sliding_window_view(padded, 2 * window_frames + 1, axis=0)
    return windows
