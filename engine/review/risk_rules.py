"""Rules that find the places of a record where a face may show, from the record alone, each with its reason in words.

A risk is an estimate on a scale from 0 to 1, made for ranking: how likely, and how badly, a face shows there. It is not
a probability. Each rule has a base risk, which a larger face and a longer range raise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from engine.core.frame_ranges import describe_range, expand_ranges, group_frames
from engine.core.geometry import Box, Size
from engine.core.scenes import Scenes
from engine.record import Detection, DetectorFacts, Face, Record
from engine.record.support import CONFIDENT_SUPPORT, compute_support
from engine.review.apply import AmendedFace
from engine.review.track_faces import TrackFaces, collect_track_faces

RiskKind = Literal[
    "doubtful", "hole", "start", "end", "gap", "cut", "unseen", "weak", "disagreement", "border", "small", "unasked",
    "damaged", "removed", "similar",
]  # fmt: skip

_BASE_RISK: Mapping[RiskKind, float] = {
    "removed": 0.95,
    "doubtful": 0.9,
    "hole": 0.85,
    "similar": 0.8,
    "start": 0.6,
    "end": 0.6,
    "gap": 0.6,
    "cut": 0.5,
    "unseen": 0.5,
    "weak": 0.45,
    "disagreement": 0.4,
    "border": 0.35,
    "small": 0.35,
    "unasked": 0.15,
    "damaged": 0.1,
}
_MAX_DOUBTFUL_GAP_FRAMES = 5
"""Frames between two possible faces that are still one item; they may be at different places."""
_MAX_UNASKED_GAP_FRAMES = 30
"""The same for frames that a detector did not examine: a policy skips frames all along the video."""
_MARGIN_FRAMES = 8
"""Frames to check before a track begins, after it ends, and beside a cut."""
_SMALL_SIDE_PX = 24.0
"""Shorter side in display pixels below which detectors miss many faces (docs/measurements/recall.md)."""
_LARGE_SIDE_PX = 48.0
"""Shorter side in display pixels from which a larger face adds no risk."""
_LONG_RUN_FRAMES = 25
"""Frames from which a longer range adds no risk."""
_MIN_HANDOVER_OVERLAP = 0.5
"""Share of a box that another track must cover to count as continuing the same face."""
_MIN_TELLING_SIDE_PX = 12.0
"""Shorter side in display pixels of a possible face from which a person could tell whether it is one. All below are one
item: what the video shows decides about them, and not any one of them."""
_MIN_HIDDEN_SHARE = 0.9
"""Share of a possible face that masks must cover so that it counts as hidden."""


class FlaggedRange(NamedTuple):
    """A place of a record that a reviewer should check.

    Attributes:
        kind: The rule that found it.
        track: The track, None if it belongs to no track in particular.
        start: First frame.
        stop: First frame after it.
        frame: The frame to look at first.
        box: The place to look at in that frame, in display pixels; None for the whole frame.
        reason: The reason in words.
        risk: 0 to 1.
    """

    kind: RiskKind
    track: int | None
    start: int
    stop: int
    frame: int
    box: Box | None
    reason: str
    risk: float


FlaggedFrame = tuple[int, Box, float]
"""A frame that a rule flagged: its index, the box of the face, and the severity (0 to 1)."""


def find_flagged_ranges(record: Record) -> Iterator[FlaggedRange]:
    """Find every place of a record that a reviewer should check, in no order."""
    whole = frozenset(record.damaged + record.covered)
    # Once, because it follows from the time stamps of all frames.
    frame_s = record.frame_s
    asked = _DetectorCoverage(record, frame_s)
    sure = {detector.name: _get_confident_score(detector) for detector in record.detection.detectors}
    scenes = Scenes(record.cuts, len(record.frames))
    # Frames that are covered whole are left out everywhere: no face can show in them.
    for course in collect_track_faces(record, whole, sure, frame_s):
        for flagged in (_flag_gaps, _flag_small_faces, _flag_border_faces):
            yield from flagged(course, record.display)
        yield from _flag_weak_faces(course, sure)
        yield from _flag_disagreement(course, sure, asked)
        yield from _flag_holes(course, whole)
        yield from _flag_track_ends(course, scenes, record)
    possible = _find_uncovered_evidence(record, whole, sure)
    telling = tuple(_flag_doubtful([one for one in possible if not _is_tiny(one[1])], _MAX_DOUBTFUL_GAP_FRAMES))
    yield from telling
    # An item of the same frames has the same key, and asks about all that is there.
    spans = {(one.start, one.stop) for one in telling}
    tiny = _flag_doubtful([one for one in possible if _is_tiny(one[1])], len(record.frames))
    yield from (one for one in tiny if (one.start, one.stop) not in spans)
    yield from _flag_cuts(record, scenes, whole)
    yield from asked.flag_unasked_frames(whole)
    for start, stop in group_frames(record.damaged):
        reason = f"{_capitalise(describe_range(start, stop))} could not be decoded whole and will be covered"
        yield FlaggedRange("damaged", None, start, stop, start, None, reason, _BASE_RISK["damaged"])


def _flag_gaps(track_faces: TrackFaces, _: Size) -> Iterator[FlaggedRange]:
    flags = [(i, face.box, 1.0) for i, face in track_faces if face.origin == "interpolated"]
    return _group_flags(
        "gap", track_faces, flags, "track {track} was not detected in {these}: the position of its mask is estimated"
    )


def _flag_small_faces(track_faces: TrackFaces, _: Size) -> Iterator[FlaggedRange]:
    """Flag small faces whose place is a guess; one that was seen there with confidence has its mask."""
    flags = [
        (i, box, 1.0)
        for i, face in track_faces
        if i not in track_faces.founded
        and ((box := face.box).right - box.left < _SMALL_SIDE_PX or box.bottom - box.top < _SMALL_SIDE_PX)
    ]
    return _group_flags(
        "small", track_faces, flags, "track {track} is small in {these}: {width:.0f}x{height:.0f} pixels"
    )


def _flag_border_faces(track_faces: TrackFaces, size: Size) -> Iterator[FlaggedRange]:
    """Flag faces at the border whose place is a guess; one that was seen there with confidence has its mask."""
    right, bottom = size.width, size.height
    flags = [
        (i, box, 1.0)
        for i, face in track_faces
        if i not in track_faces.founded
        and ((box := face.box).left <= 0 or box.top <= 0 or box.right >= right or box.bottom >= bottom)
    ]
    return _group_flags("border", track_faces, flags, "track {track} is at the border of the picture in {these}")


def _flag_weak_faces(track_faces: TrackFaces, confident_scores: Mapping[str, float]) -> Iterator[FlaggedRange]:
    """Flag faces whose evidence together does not reach the confident score of one detector."""
    flags = [
        (i, face.box, 1.0 - support)
        for i, face in track_faces
        if (seen := face.evidence)
        and seen[0].score < confident_scores[seen[0].detector]
        and (support := compute_support(seen, confident_scores)) < CONFIDENT_SUPPORT
    ]
    return _group_flags("weak", track_faces, flags, "track {track} was seen only weakly in {these}")


def _flag_disagreement(
    track_faces: TrackFaces,
    confident_scores: Mapping[str, float],
    detector_coverage: _DetectorCoverage,
) -> Iterator[FlaggedRange]:
    """Flag faces that a detector examined and did not find, though another detector found them with confidence.

    A face that is weak is asked about once, as weak.
    """
    count = detector_coverage.detector_count
    flags = [
        (i, face.box, missing)
        for i, face in track_faces
        if (seen := face.evidence)
        and len(seen) < count
        and compute_support(seen, confident_scores) >= CONFIDENT_SUPPORT
        and (missing := detector_coverage.compute_missing_share(i, seen))
    ]
    return _group_flags("disagreement", track_faces, flags, "not every detector saw track {track} in {these}")


def _group_flags(
    kind: RiskKind, track_faces: TrackFaces, flags: Sequence[FlaggedFrame], template: str
) -> Iterator[FlaggedRange]:
    """Merge the flagged frames of one rule into ranges; each is shown at its most severe frame."""
    place, track = 0, track_faces.track
    for start, stop in group_frames((index for index, _, _ in flags), track_faces.max_gap_frames):
        first = place
        while place < len(flags) and flags[place][0] < stop:
            place += 1
        index, box, value = max(flags[first:place], key=_compute_severity)
        reason = template.format(track=track, these=describe_range(start, stop), width=box.width, height=box.height)
        yield FlaggedRange(
            kind, track, start, stop, index, box, reason, compute_risk(kind, box, place - first) * (0.5 + value / 2)
        )


def _flag_holes(track_faces: TrackFaces, covered_frames: frozenset[int]) -> Iterator[FlaggedRange]:
    track = track_faces.track
    for place, (before, after) in enumerate(pairwise(track_faces.indices)):
        if after > before + 1 and not covered_frames.issuperset(range(before + 1, after)):
            box = track_faces.faces[place].box
            reason = f"track {track} has no mask in {describe_range(before + 1, after)}, and continues afterwards"
            risk = compute_risk("hole", box, after - before - 1)
            yield FlaggedRange("hole", track, before + 1, after, before + 1, box, reason, risk)


def _flag_track_ends(track_faces: TrackFaces, scenes: Scenes, record: Record) -> Iterator[FlaggedRange]:
    """Flag tracks that begin or end within a scene where no other track continues."""
    # No detector saw the extended faces at the ends of a track, so the item includes them, up to the outermost frame in
    # which a detector saw the face.
    seen = [place for place, face in enumerate(track_faces.faces) if face.origin != "extended"] or [0]
    track, first, last = track_faces.track, track_faces.indices[0], track_faces.indices[-1]
    scene = scenes.find_scene(first)
    before, after = max(scene[0], first - _MARGIN_FRAMES), min(scene[1], last + 1 + _MARGIN_FRAMES)
    box = track_faces.faces[0].box
    if before < first and not _is_covered_by_others(record, track, range(before, first), box):
        reason = f"track {track} begins mid-scene at frame {first}: its face may be visible just before"
        risk = compute_risk("start", box, _LONG_RUN_FRAMES) * _weigh_border(box, record.display)
        yield FlaggedRange("start", track, before, track_faces.indices[seen[0]] + 1, first - 1, box, reason, risk)
    box = track_faces.faces[-1].box
    if last + 1 < after and not _is_covered_by_others(record, track, range(last + 1, after), box):
        reason = f"track {track} ends mid-scene at frame {last}: its face may be visible just after"
        risk = compute_risk("end", box, _LONG_RUN_FRAMES) * _weigh_border(box, record.display)
        yield FlaggedRange("end", track, track_faces.indices[seen[-1]], after, last + 1, box, reason, risk)


def _is_covered_by_others(record: Record, track: int, frames: Iterable[int], box: Box) -> bool:
    """Whether a place is covered in each of these frames, by other tracks or because the frame is covered whole."""
    whole = record.damaged + record.covered
    return all(
        index in whole
        or any(
            face.track != track and face.box.intersection_area(box) >= _MIN_HANDOVER_OVERLAP * box.area
            for face in record.frames[index].faces
        )
        for index in frames
    )


def _weigh_border(box: Box, size: Size) -> float:
    """Reduce the risk at the border of the picture, where people enter and leave."""
    return 0.6 if box.left <= 0 or box.top <= 0 or box.right >= size.width or box.bottom >= size.height else 1.0


def _find_uncovered_evidence(
    record: Record, covered_frames: frozenset[int], confident_scores: Mapping[str, float]
) -> list[tuple[int, Detection, float]]:
    """Find the possible faces that no mask covers, each with its frame and its share of the confident score."""
    return [
        (frame.index, seen, seen.score / confident_scores[seen.detector])
        for frame in record.frames
        if frame.doubtful and frame.index not in covered_frames
        for seen in frame.doubtful
        if not is_hidden(seen.box, frame.faces)
    ]


def is_hidden(box: Box, faces: Iterable[Face | AmendedFace]) -> bool:
    """Return True if the mask of one of these faces hides a box, up to its outermost edge."""
    return any(face.box.intersection_area(box) >= _MIN_HIDDEN_SHARE * box.area for face in faces)


def _is_tiny(seen: Detection) -> bool:
    return min(seen.box.width, seen.box.height) < _MIN_TELLING_SIDE_PX


def _flag_doubtful(found: Sequence[tuple[int, Detection, float]], max_gap_frames: int) -> Iterator[FlaggedRange]:
    place = 0
    for start, stop in group_frames(dict.fromkeys(index for index, _, _ in found), max_gap_frames):
        first = place
        while place < len(found) and found[place][0] < stop:
            place += 1
        index, seen, support = max(found[first:place], key=lambda one: one[2])
        count = place - first
        what = "1 detection" if count == 1 else f"{count} detections"
        if _is_tiny(seen):
            what += f" under {_MIN_TELLING_SIDE_PX:.0f} pixels"
        reason = (
            f"possible face, not masked: {what} in {describe_range(start, stop)} that the frames around do not confirm"
        )
        risk = _BASE_RISK["doubtful"] * _compute_prominence(seen.box) * min(1.0, 0.5 + support / 4)
        yield FlaggedRange("doubtful", None, start, stop, index, seen.box, reason, risk)


def _flag_cuts(record: Record, scenes: Scenes, covered_frames: frozenset[int]) -> Iterator[FlaggedRange]:
    for cut in record.cuts:
        if cut == 0 or cut in covered_frames or cut - 1 in covered_frames:
            continue
        before, after = record.frames[cut - 1].faces, record.frames[cut].faces
        # Faces on exactly one side: either the other scene is empty, or the detectors missed a face there.
        if bool(before) != bool(after):
            start, stop = scenes.find_scene(cut if before else cut - 1)
            span = (cut, min(stop, cut + _MARGIN_FRAMES)) if before else (max(start, cut - _MARGIN_FRAMES), cut)
            bare = "after" if before else "before"
            reason = f"there are faces on one side of the scene cut at frame {cut}, and none {bare} it"
            yield FlaggedRange("cut", None, *span, span[0] if before else span[1] - 1, None, reason, _BASE_RISK["cut"])


class _DetectorCoverage:
    """The frames that each detector examined."""

    def __init__(self, record: Record, frame_s: float) -> None:
        self._frame_s = frame_s
        self._detectors = [detector.name for detector in record.detection.detectors]
        self.detector_count = len(self._detectors)
        self._record = record
        self._frame_count = len(record.frames)
        self._asked_frames = {name: expand_ranges(ranges) for name, ranges in record.detection.asked.items()}

    def compute_missing_share(self, index: int, evidence: Sequence[Detection]) -> float:
        """Return the share of the detectors that examined a frame and did not find the face."""
        if not self._asked_frames:
            return 1.0 - len(evidence) / self.detector_count
        asked = sum(name not in self._asked_frames or index in self._asked_frames[name] for name in self._detectors)
        return 1.0 - len(evidence) / asked

    def flag_unasked_frames(self, covered_frames: frozenset[int]) -> Iterator[FlaggedRange]:
        """Flag frames that no detector examined, and frames that some detectors skipped."""
        if not self._asked_frames:
            return
        names = " and ".join(self._asked_frames)
        bare: list[int] = []
        partly: list[int] = []
        for index in range(self._frame_count):
            left_out = sum(index not in frames for frames in self._asked_frames.values())
            if left_out and index not in covered_frames:
                (bare if left_out == len(self._detectors) else partly).append(index)
        bare = [index for span in group_frames(bare, 0) if not self._is_carried(*span) for index in range(*span)]
        for start, stop in group_frames(bare, _MAX_UNASKED_GAP_FRAMES):
            frames = describe_range(start, stop)
            reason = f"no detector looked at some of {frames}: masks there follow from the frames around"
            yield FlaggedRange("unseen", None, start, stop, start, None, reason, _BASE_RISK["unseen"])
        for start, stop in group_frames(partly, _MAX_UNASKED_GAP_FRAMES):
            reason = f"{names} did not look at some of {describe_range(start, stop)}"
            yield FlaggedRange("unasked", None, start, stop, start, None, reason, _BASE_RISK["unasked"])

    def _is_carried(self, start: int, stop: int) -> bool:
        """Return whether frames lie between two looks of the schedule, as close together as it promises.

        The schedule also looks where something appears, and each face is carried through frames like these. An item
        about them would cover the whole video and lead nowhere.
        """
        schedule = self._record.detection.schedule
        if schedule is None or not schedule.interval_s or start == 0 or stop == self._frame_count:
            return False
        distance_s = self._record.to_seconds(stop) - self._record.to_seconds(start - 1)
        # A look falls on the first frame after its time, so two of them are up to a frame further apart.
        return distance_s <= schedule.interval_s + self._frame_s


def _get_confident_score(detector: DetectorFacts) -> float:
    """Return the confident score of a detector; if it has none, halfway between its threshold and 1."""
    if detector.confident_score > 0:
        return detector.confident_score
    threshold = detector.parameters.get("threshold")
    return (1.0 + float(threshold)) / 2 if isinstance(threshold, int | float) else 0.5


def _compute_severity(flag: FlaggedFrame) -> float:
    return flag[2] * _compute_prominence(flag[1])


def compute_risk(kind: RiskKind, box: Box, frame_count: int) -> float:
    """Estimate the risk of a range of frames, from 0 to 1.

    Args:
        kind: The rule that found the range.
        box: The face in it, in display pixels.
        frame_count: Number of frames.
    """
    # At least 60 % of the base also for a single frame: one unmasked frame is enough to identify a person.
    return _BASE_RISK[kind] * _compute_prominence(box) * (0.6 + 0.4 * min(1.0, frame_count / _LONG_RUN_FRAMES))


def _compute_prominence(box: Box) -> float:
    return 0.5 + 0.5 * min(1.0, min(box.width, box.height) / _LARGE_SIDE_PX)


def _capitalise(words: str) -> str:
    return words[0].upper() + words[1:]
