"""Smoothing: gaps are filled, tracks begin earlier and end later, boxes are steadied.

Smoothing only ever adds: a steadied box contains the box it was made from.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.record import Origin, SmoothingInFrames
from engine.timeline.box_arrays import Boxes

FrameIndices = NDArray[np.int64]
"""Shape (n,): rising frame indices."""

ORIGINS: tuple[Origin, ...] = ("extended", "interpolated", "carried", "detected")
"""Meaning of the numbers in `TrackPath.origins`."""
# In order of rising certainty, so that one comparison tells where an extension may write.
_ABSENT, _EXTENDED, _INTERPOLATED, _CARRIED, _DETECTED = -1, 0, 1, 2, 3


class CarriedBoxes(NamedTuple):
    """Boxes of a track in frames into which it was carried: rising frame indices, length n; boxes, shape (n, 4)."""

    frames: FrameIndices
    boxes: Boxes


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


def smooth_track(
    frames: FrameIndices,
    boxes: Boxes,
    scene: tuple[int, int],
    settings: SmoothingInFrames,
    carried: CarriedBoxes | None = None,
) -> TrackPath:
    """Build the path of one track from its detections.

    Args:
        frames: frames in which the face was detected.
        boxes: its boxes there; the path's box of a frame contains the detected one.
        scene: first frame of its scene, and first frame after it; the path stays between them.
        settings: how far to fill, extend and steady.
        carried: its boxes in frames of the scene into which it was carried.
    """
    known = _KnownBoxes.join(frames, boxes, carried)
    # A track with few detections may be a false one, so its extension is limited by their number. It is counted from
    # the detections: a face that was carried beyond the last one is extended by the rest only.
    most = settings.trust * len(frames)
    before, after = min(settings.lead, most), min(settings.tail, most)
    first = max(scene[0], min(int(known.frames[0]), int(frames[0]) - before))
    last = min(scene[1] - 1, max(int(known.frames[-1]), int(frames[-1]) + after))
    course = np.full((last - first + 1, 4), np.nan)
    origins = np.full(last - first + 1, _ABSENT, dtype=np.int8)
    parts: list[tuple[int, int]] = []
    for start, dense, kinds in _split_at_gaps(known, first, settings):
        stop = start + len(dense)
        course[start:stop] = steady_boxes(dense, settings.window)
        origins[start:stop] = kinds
        parts.append((start, stop))
    # All stretches are in place before any is extended, so that an extension never replaces a detected or interpolated
    # box, not even one of a later stretch.
    for start, stop in parts:
        # The array ends where the scene does, so these limits keep extensions from crossing a cut.
        lead = min(max(0, before - _count_carried(origins[start:stop])), start)
        tail = min(max(0, after - _count_carried(origins[start:stop][::-1])), len(course) - stop)
        _cover_extension(
            course, origins, start - 1 - np.arange(lead), _extrapolate_boxes(course[start:stop], lead, settings)
        )
        _cover_extension(
            course, origins, stop + np.arange(tail), _extrapolate_boxes(course[start:stop][::-1], tail, settings)
        )
    present = np.flatnonzero(origins != _ABSENT)
    path = course[present]
    for start in range(0, len(path), _BLOCK_FRAMES):
        path[start : start + _BLOCK_FRAMES] = grow_boxes(path[start : start + _BLOCK_FRAMES], settings)
    return TrackPath(present + first, path, origins[present])


def path_without_smoothing(frames: FrameIndices, boxes: Boxes) -> TrackPath:
    """Build the path that has the detected boxes and nothing else."""
    return TrackPath(frames, boxes, np.full(len(frames), _DETECTED, dtype=np.int8))


def grow_boxes(boxes: Boxes, settings: SmoothingInFrames) -> Boxes:
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

    The path of the centre and the size are averaged. Around them, each edge takes the farthest position within the
    window, averaged over the window once more; every value in that second average is at least as far out as the edge
    itself. So each steadied box contains the box it came from. No box is steadied with boxes beyond a join (see
    `find_joins`): it would cover both places in every frame of the window.
    """
    if window_frames == 0 or len(boxes) < 2:
        return boxes
    steadied = np.empty_like(boxes)
    for run in pairwise([0, *find_joins(boxes, window_frames), len(boxes)]):
        # Three windows decide about a box: that of the path, that of the farthest position, and that of its average.
        for start, stop, around in _split_into_blocks(*run, 3 * window_frames):
            block = _steady_run(boxes[around], window_frames)
            steadied[start:stop] = block[start - around.start : stop - around.start]
    return steadied


_BLOCK_FRAMES = 8192
"""Boxes that are computed together: a track of hours at once would need several times its memory."""


def _split_into_blocks(start: int, stop: int, margin: int) -> Iterator[tuple[int, int, slice]]:
    """Yield the start and the stop of each block of a range, and the part of the range that decides about the block."""
    for first in range(start, stop, _BLOCK_FRAMES):
        end = min(first + _BLOCK_FRAMES, stop)
        yield first, end, slice(max(start, first - margin), min(stop, end + margin))


def find_joins(boxes: Boxes, window_frames: int) -> list[int]:
    """Return the positions of boxes that do not continue those before: another head, or a scene whose cut went unseen.

    One wild box with the same place before and after it is no join: it is steadied like any other, so that the mask
    swells and shrinks instead of flashing. At the end of a track nothing comes after it, so it is one.
    """
    return [
        jump + around.start
        # The window and the steps on both sides of a box decide about it.
        for start, stop, around in _split_into_blocks(0, len(boxes), window_frames + 3)
        for jump in _find_joins_in_block(boxes[around], window_frames)
        if start <= jump + around.start < stop
    ]


def _find_joins_in_block(boxes: Boxes, window_frames: int) -> list[int]:
    centres, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, _measure_sizes(boxes)
    places = np.column_stack([centres, np.log(sizes)])
    steps = np.diff(places, axis=0)
    scale = np.sqrt(sizes[1:] * sizes[:-1])
    # Compared with the steps on both sides, so that a face that moves fast, starts or stops is no join.
    changes = _measure_steps(np.diff(steps, axis=0), scale[1:]) if len(steps) > 1 else np.empty(0)
    surprise = np.minimum(np.append(np.inf, changes), np.append(changes, np.inf))
    jumps = np.flatnonzero((_measure_steps(steps, scale) >= 1.0) & (surprise >= 1.0)) + 1
    return [jump for jump in jumps.tolist() if not _is_excursion(places, jump, window_frames)]


_JOIN_DISTANCE = 0.4
"""Distance, in face sizes, that one face does not jump from frame to frame; heads side by side are farther apart."""
_JOIN_SIZE_FACTOR = 1.5
"""Factor by which the size of one face does not change from frame to frame."""


def _measure_steps(steps: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how large steps (x, y, logarithm of the size) are; from 1 on they are not those of one face."""
    moved = np.hypot(steps[:, 0], steps[:, 1]) / (_JOIN_DISTANCE * sizes)
    measured: NDArray[np.float64] = np.maximum(moved, np.abs(steps[:, 2]) / np.log(_JOIN_SIZE_FACTOR))
    return measured


def _is_excursion(places: NDArray[np.float64], jump: int, window_frames: int) -> bool:
    """Return True if a box within the window before a jump and one after it are in the same place."""
    # The window is that of the steadying, because a longer excursion is not smoothed over by it anyway.
    before = places[max(0, jump - window_frames - 1) : jump]
    after = places[jump : jump + window_frames + 1]
    steps = (after[None] - before[:, None]).reshape(-1, 3)
    sizes = np.exp(np.minimum(after[None, :, 2], before[:, None, 2])).reshape(-1)
    return bool((_measure_steps(steps, sizes) < 1.0).any())


def _measure_sizes(boxes: Boxes) -> NDArray[np.float64]:
    """Return the geometric mean of the sides, at least a pixel."""
    sizes: NDArray[np.float64] = np.sqrt(np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1.0))
    return sizes


def _steady_run(boxes: Boxes, window_frames: int) -> Boxes:
    """Steady boxes among which there is no join."""
    if len(boxes) < 2:
        return boxes
    # Edges are steadied relative to the averaged path and size. Relative to the picture, the farthest position within
    # the window would be that of another frame, and the box would grow with the speed of the face and of a zoom.
    path = np.tile(_average_path((boxes[:, :2] + boxes[:, 2:]) / 2, window_frames), 2)
    size = np.exp(_average_path(np.log(_measure_sizes(boxes))[:, None], window_frames))
    outward = (boxes - path) * _OUTWARD / size
    farthest = _sliding_windows(outward, window_frames).max(axis=-1)
    steadied = path + _sliding_windows(farthest, window_frames).mean(axis=-1) * _OUTWARD * size
    # In exact arithmetic this changes nothing; it keeps rounding errors from uncovering an edge.
    covering: Boxes = np.where(_OUTWARD < 0, np.minimum(steadied, boxes), np.maximum(steadied, boxes))
    return covering


_OUTWARD = np.array([-1.0, -1.0, 1.0, 1.0])


class _KnownBoxes(NamedTuple):
    """Detected and carried boxes of a track, by rising frame, each with its origin."""

    frames: FrameIndices
    boxes: Boxes
    origins: NDArray[np.int8]

    @classmethod
    def join(cls, frames: FrameIndices, boxes: Boxes, carried: CarriedBoxes | None) -> _KnownBoxes:
        detected = np.full(len(frames), _DETECTED, dtype=np.int8)
        if carried is None or not len(carried.frames):
            return cls(frames, boxes, detected)
        all_frames = np.concatenate([frames, carried.frames])
        order = np.argsort(all_frames, kind="stable")
        origins = np.concatenate([detected, np.full(len(carried.frames), _CARRIED, dtype=np.int8)])
        return cls(all_frames[order], np.concatenate([boxes, carried.boxes])[order], origins[order])


def _count_carried(origins: NDArray[np.int8]) -> int:
    """Return how many carried boxes a stretch begins with."""
    return int(np.argmax(origins != _CARRIED)) if len(origins) else 0


def _split_at_gaps(
    known: _KnownBoxes, first: int, settings: SmoothingInFrames
) -> Iterator[tuple[int, Boxes, NDArray[np.int8]]]:
    """Yield stretches without too long a gap: start, counted from `first`; a box for every frame; their origins."""
    breaks = np.flatnonzero(np.diff(known.frames) > settings.gap + 1) + 1
    for some, there, kinds in zip(*(np.split(part, breaks) for part in known), strict=True):
        every = np.arange(some[0], some[-1] + 1)
        dense = np.empty((len(every), 4))
        for edge in range(4):
            dense[:, edge] = np.interp(every, some, there[:, edge])
        # Known boxes go back exactly: interpolation may differ from them in the last digit.
        dense[some - some[0]] = there
        origins = np.full(len(every), _INTERPOLATED, dtype=np.int8)
        origins[some - some[0]] = kinds
        yield int(some[0]) - first, dense, origins


def _extrapolate_boxes(boxes: Boxes, count: int, settings: SmoothingInFrames) -> Boxes:
    """Return `count` boxes that continue backwards from the first of `boxes`, with falling speed."""
    # The face is likelier to slow down or turn than to keep its speed, and a box that runs away covers the wrong place.
    near = boxes[: settings.horizon + settings.window + 1]
    steps = min(settings.horizon, min(find_joins(near, settings.window), default=len(boxes)) - 1)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    # Measured over several frames: between two successive ones, the jitter of the detector would outweigh the motion. A
    # single detection has no speed, so its extension stays where it was. A join is no motion either.
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
