"""Smoothing: gaps are filled, tracks begin earlier and end later, boxes are steadied.

Smoothing only ever adds: a steadied box contains the box it was made from.
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
"""Meaning of the numbers in `TrackPath.origins`."""
# In order of rising certainty, so that one comparison tells where an extension may write.
_ABSENT, _EXTENDED, _INTERPOLATED, _DETECTED = -1, 0, 1, 2


class TrackPath(NamedTuple):
    """The boxes of one track.

    Attributes:
        frames: frame indices, length n.
        boxes: boxes, not clipped to the frame, shape (n, 4).
        origins: positions in `ORIGINS`, length n.
    """

    frames: FrameIndices
    boxes: Boxes
    origins: NDArray[np.int8]


def smooth_track(frames: FrameIndices, boxes: Boxes, scene: tuple[int, int], settings: SmoothingSettings) -> TrackPath:
    """Build the path of one track from its detections.

    Args:
        frames: frames in which the face was detected.
        boxes: its boxes there; the path's box of a frame contains the detected one.
        scene: first frame of its scene, and first frame after it; the path stays between them.
        settings: how far to fill, extend and steady.
    """
    # A track with few detections may be a false one, so its extension is limited by their number.
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
    # All stretches are in place before any is extended, so that an extension never replaces a detected or interpolated
    # box, not even one of a later stretch.
    for start, dense, _ in parts:
        stop = start + len(dense)
        # The array ends where the scene does, so these limits keep extensions from crossing a cut.
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
    """Build the path that has the detected boxes and nothing else."""
    return TrackPath(frames, boxes, np.full(len(frames), _DETECTED, dtype=np.int8))


def grow_boxes(boxes: Boxes, settings: SmoothingSettings) -> Boxes:
    """Grow boxes about their centres: to the least aspect ratio, then by the margin."""
    sides = boxes[:, 2:] - boxes[:, :2]
    # Only the shorter side is made longer. The margin is a share of the box after that, or it would be narrow where a
    # head that turns away needs it.
    wanted = np.maximum(sides, sides.max(axis=1, keepdims=True) * settings.breadth) * (1 + 2 * settings.margin)
    more = (wanted - sides) / 2
    larger: Boxes = boxes + np.hstack([-more, more])
    return larger


def steady_boxes(boxes: Boxes, window_frames: int) -> Boxes:
    """Steady the boxes of successive frames over `window_frames` frames to each side.

    The path of the centre is averaged. Around it, each edge takes the farthest position within the window, averaged
    over the window once more; every value in that second average is at least as far out as the edge itself. So each
    steadied box contains the box it came from.
    """
    if window_frames == 0 or len(boxes) < 2:
        return boxes
    # Edges are steadied relative to the averaged path. Relative to the picture, the farthest position within the window
    # would be that of another frame, and the box would grow with the speed of the face.
    path = np.tile(_average_path((boxes[:, :2] + boxes[:, 2:]) / 2, window_frames), 2)
    outward = (boxes - path) * _OUTWARD
    farthest = _sliding_windows(outward, window_frames).max(axis=-1)
    steadied = path + _sliding_windows(farthest, window_frames).mean(axis=-1) * _OUTWARD
    # In exact arithmetic this changes nothing; it keeps rounding errors from uncovering an edge.
    covering: Boxes = np.where(_OUTWARD < 0, np.minimum(steadied, boxes), np.maximum(steadied, boxes))
    return covering


_OUTWARD = np.array([-1.0, -1.0, 1.0, 1.0])


def _split_at_gaps(
    frames: FrameIndices, boxes: Boxes, settings: SmoothingSettings
) -> Iterator[tuple[int, Boxes, NDArray[np.bool_]]]:
    """Yield stretches without too long a gap: first frame, a box for every frame, and where the face was detected."""
    breaks = np.flatnonzero(np.diff(frames) > settings.gap + 1) + 1
    for some, there in zip(np.split(frames, breaks), np.split(boxes, breaks), strict=True):
        every = np.arange(some[0], some[-1] + 1)
        dense = np.stack([np.interp(every, some, edge) for edge in there.T], axis=1)
        # Detected boxes go back exactly: interpolation may differ from them in the last digit.
        dense[some - some[0]] = there
        yield int(some[0]), dense, np.isin(every, some, assume_unique=True)


def _extrapolate_boxes(boxes: Boxes, count: int, settings: SmoothingSettings) -> Boxes:
    """Return `count` boxes that continue backwards from the first of `boxes`, with falling speed."""
    # The face is likelier to slow down or turn than to keep its speed, and a box that runs away covers the wrong place.
    steps = min(settings.horizon, len(boxes) - 1)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    # Measured over several frames: between two successive ones, the jitter of the detector would outweigh the motion. A
    # single detection has no speed, so its extension stays where it was.
    speed = (centres[0] - centres[steps]) / steps if steps else np.zeros(2)
    travel = np.cumsum(settings.damping ** np.arange(1, count + 1))
    ahead: Boxes = boxes[0] + np.tile(travel[:, None] * speed, 2)
    return ahead


def _cover_extension(path_boxes: Boxes, origins: NDArray[np.int8], frames: FrameIndices, boxes: Boxes) -> None:
    """Write extended boxes into frames without a better one; where two extensions meet, cover both."""
    free = origins[frames] <= _EXTENDED
    frames, boxes = frames[free], boxes[free]
    # fmin and fmax ignore NaN, which marks frames without a box so far.
    path_boxes[frames, :2] = np.fmin(path_boxes[frames, :2], boxes[:, :2])
    path_boxes[frames, 2:] = np.fmax(path_boxes[frames, 2:], boxes[:, 2:])
    origins[frames] = _EXTENDED


def _average_path(centres: Boxes, window_frames: int) -> Boxes:
    """Return the moving average of a path; odd reflection keeps uniform motion unchanged at both ends too."""
    # numpy cannot reflect more samples than there are.
    pad = min(window_frames, len(centres) - 1)
    padded = np.pad(centres, ((pad, pad), (0, 0)), mode="reflect", reflect_type="odd")
    averaged: Boxes = sliding_window_view(padded, 2 * pad + 1, axis=0).mean(axis=-1)
    return averaged


def _sliding_windows(values: Boxes, window_frames: int) -> Boxes:
    padded = np.pad(values, ((window_frames, window_frames), (0, 0)), mode="edge")
    windows: Boxes = sliding_window_view(padded, 2 * window_frames + 1, axis=0)
    return windows
