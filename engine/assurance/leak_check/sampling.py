"""Where an output is looked at: thinly where the plan is sure, densely where a mask begins, ends or is missing.

A face that was missed is most often one that was found a moment before or after: at the ends of tracks, in their gaps,
at a cut. There a part of the frame about the place where the face should be is looked at, which costs a fraction of a
frame and shows the face larger.
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
"""Frames next to a mask that are looked at without exception."""
_REGION_SCALE = 3.0
"""Sides of the part that is looked at, in sides of the face."""
_MIN_REGION_SIDE_PX = 64.0
"""Of such a part, in pixels."""
_COVERED_SHARE = 0.7
"""Share of a place that lies under another mask from which there is nothing to look for."""


class SampledRegion(NamedTuple):
    """A part of a frame to be looked at: the lower the rank, the sooner; `track` is the one whose face it may be."""

    rank: int
    frame_index: int
    box: Box
    track: int | None


class SamplingPlan(NamedTuple):
    """What is looked at: frames as a whole, and parts of frames; how many parts were left out for want of budget."""

    whole_frames: frozenset[int]
    regions: tuple[SampledRegion, ...]
    left_out_count: int


def plan_sampling(
    frames: Sequence[AmendedFrame], cuts: Sequence[int], size: Size, settings: LeakSettings
) -> SamplingPlan:
    """Where to look.

    Args:
        frames: as they were to be rendered, in order.
        cuts: first frames of scenes.
        size: of a frame, in display pixels.
        settings: how densely.
    """
    whole = frozenset(
        index for index in _choose_whole_frames(frames, cuts, settings.stride) if not frames[index].covered
    )
    parts = list(
        _drop_overlapping_regions(
            part for part in _propose_regions(frames, cuts, size, settings) if _is_open(frames[part.frame_index], part)
        )
    )
    kept = parts[: round(settings.budget * len(frames))]
    return SamplingPlan(
        whole, tuple(sorted(kept, key=lambda part: (part.frame_index, part.rank))), len(parts) - len(kept)
    )


def expand_to_region(box: Box, size: Size) -> Box:
    """The part of a frame about a face, in which a detector sees it well."""
    x, y = box.centre
    half = max(max(box.width, box.height) * _REGION_SCALE, _MIN_REGION_SIDE_PX) / 2
    region = Box(x - half, y - half, x + half, y + half).clip(size)
    return region or Box(0, 0, size.width, size.height)


def _choose_whole_frames(frames: Sequence[AmendedFrame], cuts: Sequence[int], stride: int) -> Iterator[int]:
    """One frame in `stride`, twice as many where there is no mask at all, and both sides of every cut."""
    yield from range(0, len(frames), stride)
    yield from (index for index in range(0, len(frames), max(1, stride // 2)) if not frames[index].faces)
    for cut in cuts:
        yield from (cut - 1, cut)
    yield len(frames) - 1


def _propose_regions(
    frames: Sequence[AmendedFrame], cuts: Sequence[int], size: Size, settings: LeakSettings
) -> Iterator[SampledRegion]:
    scenes = Scenes(cuts, len(frames))
    for track, course in _group_boxes_by_track(frames).items():
        for index, box, distance in _find_unmasked_neighbours(course, scenes, settings):
            yield SampledRegion(distance, index, expand_to_region(box, size), track)
    for frame in frames:
        if frame.index % settings.sparse == 0:
            for seen in frame.doubtful:
                yield SampledRegion(settings.edge + 1, frame.index, expand_to_region(seen.box, size), None)


def _group_boxes_by_track(frames: Sequence[AmendedFrame]) -> dict[int, list[tuple[int, Box]]]:
    """For each track the frames in which it has a mask or is kept visible, and where."""
    courses: defaultdict[int, list[tuple[int, Box]]] = defaultdict(list)
    for frame in frames:
        for face in frame.faces:
            courses[face.track].append((frame.index, face.box))
    return courses


def _find_unmasked_neighbours(
    track_boxes: Sequence[tuple[int, Box]], scenes: Scenes, settings: LeakSettings
) -> Iterator[tuple[int, Box, int]]:
    """Frames without the track that are next to frames with it: index, where the face might be, and the distance."""
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
    """Whether a mask of the frame leaves the middle of the part open."""
    if frame.covered:
        return False
    middle = region.box.scale(1 / _REGION_SCALE)
    return all(face.box.intersection_area(middle) < _COVERED_SHARE * middle.area for face in frame.faces)


def _drop_overlapping_regions(regions: Iterable[SampledRegion]) -> Iterator[SampledRegion]:
    """Of parts of a frame that show much the same, the one that ranks first; those that rank first come first."""
    kept: defaultdict[int, list[Box]] = defaultdict(list)
    for part in sorted(regions, key=_region_sort_key):
        if all(part.box.iou(other) < 0.5 for other in kept[part.frame_index]):
            kept[part.frame_index].append(part.box)
            yield part


def _region_sort_key(region: SampledRegion) -> tuple[int, int, float, float]:
    return region.rank, region.frame_index, region.box.left, region.box.top
