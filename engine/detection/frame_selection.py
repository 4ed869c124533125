"""Selection of the frames that are sent to a remote detector: every frame sent costs money and privacy.

There are three policies. "all" sends every frame. "every:N" sends one in N, and tracks bridge the frames between.
"contested" runs the other detectors on every frame first, and sends the frames that they leave uncertain. Damaged
frames are never sent, because they are covered whole anyway.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from engine.core.frame_ranges import FrameRange, group_frames
from engine.detection.frame_detections import FrameDetections
from engine.detectors.base import RemoteDetectorSettings
from engine.detectors.registry import DetectorPlan
from engine.errors import InputError
from engine.record import TrackingInFrames
from engine.timeline.build import TimelineSettings
from engine.timeline.cuts import find_cuts
from engine.timeline.fuse import FusedFace, fuse_detections, pack_fused
from engine.timeline.track import assign_tracks

FramePredicate = Callable[[int], bool]
"""Returns True if the frame with this index is given to a detector."""

_UNCERTAIN_STRIDES_FRAMES = (4, 6, 8, 12)
"""In a range of uncertain frames, the first, the last and one in so many between are sent; tracks bridge the rest. The
first stride is used with which at most `_MAX_SENT_SHARE` of the video is sent, or else the last."""
_MAX_SENT_SHARE = 0.25
_TRACK_END_OFFSETS_FRAMES = (1, 4, 8)
"""Distances before the first detection of a track, and after its last, at which a frame is sent."""


def split_passes(plans: Sequence[DetectorPlan]) -> tuple[list[DetectorPlan], list[DetectorPlan]]:
    """Return the detectors of the first pass and those of the second, which have the policy "contested".

    Raises:
        InputError: no local detector is left that could find out which frames are uncertain.
    """
    later = [plan for plan in plans if _frame_policy(plan) == "contested"]
    first = [plan for plan in plans if plan not in later]
    if not later:
        return first, []
    # A remote detector in the first pass would send frames before it is known which are uncertain.
    if all(isinstance(plan.settings, RemoteDetectorSettings) for plan in first):
        raise InputError(
            f"{later[0].name} has the policy contested, and no other detector runs that could leave frames uncertain: "
            f"name one, as in --detectors yolov8-face,{later[0].name}."
        )
    return first, later


def frame_predicates(plans: Iterable[DetectorPlan], uncertain: frozenset[int]) -> dict[str, FramePredicate]:
    """Return, by name of each remote detector, the predicate of the frames that it is given."""
    return {
        plan.name: _frame_predicate(_frame_policy(plan), uncertain)
        for plan in plans
        if isinstance(plan.settings, RemoteDetectorSettings)
    }


def count_sent_frames(plan: DetectorPlan, frame_count: int, uncertain: frozenset[int] | None) -> int:
    """Return how many of `frame_count` frames are sent; the maximum if the uncertain frames are not known yet."""
    policy = _frame_policy(plan)
    if policy == "contested":
        return frame_count if uncertain is None else len(uncertain)
    return -(-frame_count // _policy_step(policy))


def find_sent_ranges(
    frames: Collection[FrameDetections], detectors: Iterable[str]
) -> dict[str, tuple[FrameRange, ...]]:
    """Return the frames that each detector was given, as half-open ranges, without detectors that got every frame."""
    asked = {
        name: tuple(group_frames(i for i, frame in enumerate(frames) if name in frame.by_detector))
        for name in detectors
    }
    return {name: ranges for name, ranges in asked.items() if ranges != ((0, len(frames)),)}


def uncertain_frames(
    frames: Sequence[FrameDetections],
    timeline_settings: TimelineSettings,
    settings: RemoteDetectorSettings,
    frame_s: float,
) -> frozenset[int]:
    """Return the indices of frames that the other detectors leave uncertain.

    A frame is uncertain if a face in it has weak evidence or was not found by every detector, and where a track begins,
    ends or has a gap. A few frames without any such sign are added, because they may show a face that no local detector
    ever finds.

    Args:
        frames: detections of the other detectors in each frame.
        timeline_settings: settings that join detections into faces and faces into tracks.
        settings: settings of the remote detector: `doubt` decides what is weak, `glance` how many others are added.
        frame_s: usual duration of a frame in seconds.
    """
    fused = pack_fused(fuse_detections(frame, timeline_settings.fusion) for frame in frames)
    cuts = find_cuts(array("d", (frame.change for frame in frames)), timeline_settings.tracking)
    doubtful = {
        index
        for index, (faces, frame) in enumerate(zip(fused, frames, strict=True))
        if any(_is_weak(face, len(frame.by_detector), settings) for face in faces)
    }
    # Sent in any case: the start of each scene, where tracks begin, and a thin sample of all frames.
    chosen: set[int] = {0, *cuts, *range(0, len(frames), settings.glance)}
    for track_frames in _frames_of_tracks(fused, cuts, timeline_settings.tracking.in_frames(frame_s)):
        chosen.update(_frames_around_ends(track_frames[0], track_frames[-1]))
        for before, after in pairwise(track_frames):
            # A frame that the schedule left out says nothing about the face.
            doubtful.update(index for index in range(before + 1, after) if frames[index].by_detector)
    # In a difficult video nearly every frame is uncertain. Wider strides keep the cost down, as tracks bridge the rest.
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
    fused: Sequence[Sequence[FusedFace]], cuts: tuple[int, ...], tracking: TrackingInFrames
) -> Iterator[list[int]]:
    """Yield for each track the frames in which it was detected."""
    tracks: dict[int, list[int]] = {}
    # Which detections are weak is decided with the answers of the remote detector, so here they are all alike.
    for index, numbers in enumerate(assign_tracks(fused, cuts, tracking, {})):
        for number in numbers:
            tracks.setdefault(number, []).append(index)
    yield from tracks.values()


def _frames_around_ends(first: int, last: int) -> Iterator[int]:
    yield from (first, last)
    for distance in _TRACK_END_OFFSETS_FRAMES:
        yield from (first - distance, last + distance)
