"""Which frames a detector that asks a service is asked about: every frame that is sent costs money and privacy.

Three policies: "all" frames, "every:N" (tracks carry between), and "contested": the other detectors of the run look at
every frame first, and those frames are sent in which they leave doubt. Damaged frames, which are covered whole anyway,
are never sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from engine.core.frame_ranges import FrameRange, group_frames
from engine.detection.frame_detections import FrameDetections
from engine.detectors.base import RemoteDetectorSettings
from engine.detectors.registry import DetectorPlan
from engine.errors import InputError
from engine.record import TrackingSettings
from engine.timeline.build import TimelineSettings
from engine.timeline.cuts import find_cuts
from engine.timeline.fuse import FusedFace, fuse_detections
from engine.timeline.track import assign_tracks

FramePredicate = Callable[[int], bool]
"""Whether a detector is asked about the frame with this index."""

_UNCERTAIN_STRIDES_FRAMES = (4, 6, 8, 12)
"""In a run of contested frames, the first, the last and one in so many between are sent; tracks carry across. The first
of these with which no more than `_SHARE` of the video is sent, else the last."""
_MAX_SENT_SHARE = 0.25
_TRACK_END_OFFSETS_FRAMES = (1, 4, 8)
"""Frames before the first sighting of a track, and after its last, that are sent."""


def split_passes(plans: Sequence[DetectorPlan]) -> tuple[list[DetectorPlan], list[DetectorPlan]]:
    """Return the detectors of the first pass and those of the second, which have the policy "contested".

    Raises:
        InputError: no local detector is left that could find out which frames are uncertain.
    """
    later = [plan for plan in plans if _frame_policy(plan) == "contested"]
    first = [plan for plan in plans if plan not in later]
    if not later:
        return first, []
    if all(isinstance(plan.settings, RemoteDetectorSettings) for plan in first):
        raise InputError(
            f"{later[0].name} is to be asked about contested frames, and no other detector runs that could contest "
            f"them: name one, as in --detectors yolov8-face,{later[0].name}."
        )
    return first, later


def frame_predicates(plans: Iterable[DetectorPlan], uncertain: frozenset[int]) -> dict[str, FramePredicate]:
    """For each detector that is not asked about every frame that is whole, which ones it is asked about."""
    return {
        plan.name: _frame_predicate(_frame_policy(plan), uncertain)
        for plan in plans
        if isinstance(plan.settings, RemoteDetectorSettings)
    }


def count_sent_frames(plan: DetectorPlan, frame_count: int, uncertain: frozenset[int] | None) -> int:
    """Of `frame_count` frames, how many are sent; at most, while it is not known which are contested."""
    policy = _frame_policy(plan)
    if policy == "contested":
        return frame_count if uncertain is None else len(uncertain)
    return -(-frame_count // _policy_step(policy))


def find_sent_ranges(frames: Sequence[FrameDetections], detectors: Iterable[str]) -> dict[str, tuple[FrameRange, ...]]:
    """The frames, as half-open ranges, that each detector was asked about; without those that were asked about all."""
    asked = {
        name: tuple(group_frames(i for i, frame in enumerate(frames) if name in frame.by_detector))
        for name in detectors
    }
    return {name: ranges for name, ranges in asked.items() if ranges != ((0, len(frames)),)}


def uncertain_frames(
    frames: Sequence[FrameDetections], timeline_settings: TimelineSettings, settings: RemoteDetectorSettings
) -> frozenset[int]:
    """Frames in which what was seen leaves doubt.

    A face is seen by weak evidence, or not by every detector; a track begins, ends or has a gap, at a cut or anywhere;
    and, thinly, frames about which nothing speaks for doubt: there a face may be that no local detector ever sees.

    Args:
        frames: detections of the other detectors in each frame.
        timeline_settings: settings that join detections into faces and faces into tracks.
        settings: what counts as weak, and how thinly the rest is sent.
    """
    fused = [fuse_detections(frame, timeline_settings.fusion) for frame in frames]
    cuts = find_cuts([frame.change for frame in frames], timeline_settings.tracking)
    doubtful = {
        index
        for index, faces in enumerate(fused)
        if any(_is_weak(face, len(frames[index].by_detector), settings) for face in faces)
    }
    chosen: set[int] = {0, *cuts, *range(0, len(frames), settings.glance)}
    for track_frames in _frames_of_tracks(fused, cuts, timeline_settings.tracking):
        chosen.update(_frames_around_ends(track_frames[0], track_frames[-1]))
        for before, after in pairwise(track_frames):
            doubtful.update(range(before + 1, after))
    sent: frozenset[int] = frozenset()
    for stride in _UNCERTAIN_STRIDES_FRAMES:
        thinned = (
            index for start, stop in group_frames(sorted(doubtful)) for index in (*range(start, stop, stride), stop - 1)
        )
        sent = frozenset(index for index in (*chosen, *thinned) if 0 <= index < len(frames))
        if len(sent) <= _MAX_SENT_SHARE * len(frames):
            break
    return sent


def _frame_policy(plan: DetectorPlan) -> str:
    return plan.settings.policy if isinstance(plan.settings, RemoteDetectorSettings) else "all"


def _policy_step(policy: str) -> int:
    return int(policy.partition(":")[2] or 1)


def _frame_predicate(policy: str, uncertain: frozenset[int]) -> FramePredicate:
    step = _policy_step(policy)
    return uncertain.__contains__ if policy == "contested" else lambda index: index % step == 0


def _is_weak(face: FusedFace, detector_count: int, settings: RemoteDetectorSettings) -> bool:
    return len(face.evidence) < detector_count or max(one.score for one in face.evidence) < settings.doubt


def _frames_of_tracks(
    fused: Sequence[Sequence[FusedFace]], cuts: tuple[int, ...], tracking: TrackingSettings
) -> Iterator[list[int]]:
    """For each track, the frames in which it was seen."""
    tracks: dict[int, list[int]] = {}
    for index, numbers in enumerate(assign_tracks(fused, cuts, tracking)):
        for number in numbers:
            tracks.setdefault(number, []).append(index)
    yield from tracks.values()


def _frames_around_ends(first: int, last: int) -> Iterator[int]:
    yield from (first, last)
    for distance in _TRACK_END_OFFSETS_FRAMES:
        yield from (first - distance, last + distance)
