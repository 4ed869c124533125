"""Choose where the scan detectors look: at few whole frames, and at regions where masks begin, end or are missing.

A face without a mask is most often one that was found a moment before or after: at the ends of tracks, in their gaps,
at a cut. There it is known where the face should be. A region around that place costs a fraction of a whole frame, and
shows the face larger, so that a small face that is missed in the whole frame is found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from engine.assurance.leak_check.report import LeakSettings
from engine.core.geometry import Box, Size
from engine.core.scenes import Scenes
from engine.review.apply import AmendedFrame

_ALWAYS_SAMPLED_FRAMES = 2
"""Number of frames next to a mask that are always looked at: a face is most likely still there."""
_REGION_SCALE = 3.0
"""Sides of a region in longer sides of the face. The face may have moved, and a detector needs some surroundings."""
_MIN_REGION_SIDE_PX = 64.0
"""Shortest side of a region in pixels; less has too little in it to be enlarged."""
_COVERED_SHARE = 0.7
"""Share of the place of a face from which another mask covers it, so that there is nothing to look for."""


class SampledRegion(NamedTuple):
    """A region to look at: the lowest rank comes first; `track` is the track whose face may be there."""

    rank: int
    frame_index: int
    box: Box
    track: int | None


class SamplingPlan(NamedTuple):
    """The whole frames and the regions to look at, and the number of regions that exceed the budget."""

    whole_frames: frozenset[int]
    regions: tuple[SampledRegion, ...]
    left_out_count: int


def plan_sampling(
    frames: Sequence[AmendedFrame], cuts: Sequence[int], size: Size, settings: LeakSettings
) -> SamplingPlan:
    """Choose the frames and regions to look at.

    Args:
        frames: The frames as they had to be rendered, in order.
        cuts: First frames of the scenes.
        size: Size of a frame in display pixels.
        settings: The density.
    """
    whole = frozenset(
        index for index in _choose_whole_frames(frames, cuts, settings.stride) if not frames[index].covered
    )
    regions = list(
        _drop_overlapping_regions(
            region
            for region in _propose_regions(frames, cuts, size, settings)
            if _is_open(frames[region.frame_index], region)
        )
    )
    # Sorted by rank, so the budget drops the regions that are farthest from a mask.
    kept = regions[: round(settings.budget * len(frames))]
    return SamplingPlan(
        whole,
        tuple(sorted(kept, key=lambda region: (region.frame_index, region.rank))),
        len(regions) - len(kept),
    )


def expand_to_region(box: Box, size: Size) -> Box:
    """Return the region around a face in which a detector finds it best, clipped to the frame."""
    x, y = box.centre
    half = max(max(box.width, box.height) * _REGION_SCALE, _MIN_REGION_SIDE_PX) / 2
    region = Box(x - half, y - half, x + half, y + half).clip(size)
    return region or Box(0, 0, size.width, size.height)


def _choose_whole_frames(frames: Sequence[AmendedFrame], cuts: Sequence[int], stride: int) -> Iterator[int]:
    """Choose one frame in `stride`, twice as many where no face is known, and both sides of every cut."""
    yield from range(0, len(frames), stride)
    # Regions lie where tracks and possible faces are, so whole frames are the only look at a stretch without any face.
    yield from (index for index in range(0, len(frames), max(1, stride // 2)) if not frames[index].faces)
    # No track crosses a cut, so neither a gap nor an extension bridges a face that is lost early before it or found
    # late after it.
    for cut in cuts:
        yield from (cut - 1, cut)
    yield len(frames) - 1


def _propose_regions(
    frames: Sequence[AmendedFrame], cuts: Sequence[int], size: Size, settings: LeakSettings
) -> Iterator[SampledRegion]:
    scenes = Scenes(cuts, len(frames))
    for track, track_boxes in _group_boxes_by_track(frames).items():
        for index, box, distance in _find_unmasked_neighbours(track_boxes, scenes, settings):
            yield SampledRegion(distance, index, expand_to_region(box, size), track)
    for frame in frames:
        if frame.index % settings.sparse == 0:
            for possible in frame.doubtful:
                # Possible faces rank last: review lists them anyway.
                yield SampledRegion(settings.edge + 1, frame.index, expand_to_region(possible.box, size), None)


def _group_boxes_by_track(frames: Sequence[AmendedFrame]) -> dict[int, list[tuple[int, Box]]]:
    """Return, for each track, the frames and boxes of its faces; those that are kept visible are included."""
    boxes_by_track: defaultdict[int, list[tuple[int, Box]]] = defaultdict(list)
    for frame in frames:
        for face in frame.faces:
            boxes_by_track[face.track].append((frame.index, face.box))
    return boxes_by_track


def _find_unmasked_neighbours(
    track_boxes: Sequence[tuple[int, Box]], scenes: Scenes, settings: LeakSettings
) -> Iterator[tuple[int, Box, int]]:
    """Yield frames near the track that lack it: index, the box where the face may be, distance in frames."""
    first, last = track_boxes[0], track_boxes[-1]
    for distance in _list_distances(settings):
        for index, box in ((first[0] - distance, first[1]), (last[0] + distance, last[1])):
            scene = scenes.find_scene(first[0] if index < first[0] else last[0])
            if index in range(*scene):
                yield index, box, distance
    for (before, left), (after, right) in pairwise(track_boxes):
        for index in range(before + 1, after):
            distance = min(index - before, after - index)
            if distance <= _ALWAYS_SAMPLED_FRAMES or distance % settings.sparse == 0:
                yield index, left.interpolate(right, (index - before) / (after - before)), distance


def _list_distances(settings: LeakSettings) -> Iterator[int]:
    yield from range(1, min(_ALWAYS_SAMPLED_FRAMES, settings.edge) + 1)
    yield from range(settings.sparse, settings.edge + 1, settings.sparse)


def _is_open(frame: AmendedFrame, region: SampledRegion) -> bool:
    """Return whether the masks of the frame leave the middle of the region open."""
    if frame.covered:
        return False
    middle = region.box.scale(1 / _REGION_SCALE)
    return all(face.box.intersection_area(middle) < _COVERED_SHARE * middle.area for face in frame.faces)


def _drop_overlapping_regions(regions: Iterable[SampledRegion]) -> Iterator[SampledRegion]:
    """Yield the regions by rank, without those that show much the same as one before them."""
    kept: defaultdict[int, list[Box]] = defaultdict(list)
    for region in sorted(regions, key=_region_sort_key):
        if all(region.box.iou(other) < 0.5 for other in kept[region.frame_index]):
            kept[region.frame_index].append(region.box)
            yield region


def _region_sort_key(region: SampledRegion) -> tuple[int, int, float, float]:
    return region.rank, region.frame_index, region.box.left, region.box.top
