"""Group the detections in an output into leaks, and decide which of them count.

Detections of one face in neighbouring frames form a group. A group outside every mask is a face without a mask, one
under a mask shows that the mask hides too little. A group counts only if it is confirmed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from engine.assurance.leak_check.report import Leak, LeakKind, LeakSettings, OutputDetection
from engine.core.frame_ranges import describe_range
from engine.core.geometry import Box
from engine.review.apply import AmendedFace, AmendedFrame

COMPARISON_DETECTOR = "comparison"
"""Stands for the name of a detector where the comparison with the source found that a mask is not in the output."""
RECORD_RULES_DETECTOR = "record"
"""Stands for the name of a detector where the settings of the record say that a mask is missing."""
_FACE_CORE_SHARE = 0.6
"""Sides of the middle of a box, as a share of its sides. Detectors draw boxes of different sizes around the same face;
the middle is face in all of them."""
_UNDER_MASK_SHARE = 0.5
"""Share of the middle of a face that one mask has to cover for the face to count as under the mask."""
_SAME_FACE_IOU = 0.3
"""IoU from which a detection is the possible face of the record, or the face kept visible, at that place."""
_LINK_IOU = 0.2
"""IoU from which detections in neighbouring frames, or of two detectors, are of one face. It is low because boxes of
different detectors differ in size, and a face moves between sampled frames."""


class DetectionsByMask(NamedTuple):
    """Detections outside every mask, and detections under a mask with the face that the mask belongs to."""

    unmasked: list[OutputDetection]
    masked: list[tuple[OutputDetection, AmendedFace]]


def split_by_mask(detections: Iterable[OutputDetection], frames: Sequence[AmendedFrame]) -> DetectionsByMask:
    """Split detections into those outside every mask and those under one; faces kept visible are left out."""
    by_mask = DetectionsByMask([], [])
    for detection in detections:
        frame = frames[detection.frame]
        # A reviewer decided, with a reason, that this face is kept visible. Reported as a leak, it would block the
        # release.
        if frame.covered or any(face.visible and face.box.iou(detection.box) >= _SAME_FACE_IOU for face in frame.faces):
            continue
        masked_face = find_mask_over(detection.box, frame)
        if masked_face is None:
            by_mask.unmasked.append(detection)
        else:
            by_mask.masked.append((detection, masked_face))
    return by_mask


def find_mask_over(box: Box, frame: AmendedFrame) -> AmendedFace | None:
    """Return the face of the plan whose mask covers the middle of `box`, None if no mask does."""
    middle = box.scale(_FACE_CORE_SHARE)
    masked = [face for face in frame.faces if not face.visible]
    best = max(masked, key=lambda face: face.box.intersection_area(middle), default=None)
    return best if best is not None and best.box.intersection_area(middle) >= _UNDER_MASK_SHARE * middle.area else None


def link_detections(
    detections: Iterable[OutputDetection], cuts: Sequence[int], reach_frames: int
) -> list[list[OutputDetection]]:
    """Group the detections of one face: at most `reach_frames` apart, and never across a cut.

    Returns:
        The groups, each sorted by frame.
    """
    groups: list[list[OutputDetection]] = []
    # The sort is complete, down to the position of the box, so that the groups do not depend on the order in which the
    # detectors answered.
    for detection in sorted(
        detections, key=lambda one: (one.frame, -one.score, one.detector, one.box.left, one.box.top)
    ):
        # People close together have boxes that could continue either group; the nearer one is most likely the same
        # face.
        nearest = min(
            (group for group in groups if _can_link(detection, group, cuts, reach_frames)),
            key=lambda group: _measure_distance(group[-1].box, detection.box),
            default=None,
        )
        if nearest is None:
            groups.append([detection])
        else:
            nearest.append(detection)
    return groups


def is_confirmed(group: Sequence[OutputDetection], settings: LeakSettings) -> bool:
    """Return whether a group counts as a face: two detectors agree in one frame, or the record itself lacks a mask.

    One detector alone is not enough, however often it finds the same: what looks like a face to it once does so in
    every frame (a poster, a pattern, a mosaic). Two detectors rarely share such a mistake at the same place and time.
    """
    if has_missing_mask(group):
        return True
    by_frame: defaultdict[int, set[str]] = defaultdict(set)
    for detection in group:
        if detection.score >= settings.likely:
            by_frame[detection.frame].add(detection.detector)
    return any(len(detectors) > 1 for detectors in by_frame.values())


def has_missing_mask(group: Iterable[OutputDetection]) -> bool:
    """Return whether any of the detections is a mask that the record lacks by its own settings."""
    return any(detection.detector == RECORD_RULES_DETECTOR for detection in group)


def build_leak(group: Sequence[OutputDetection], kind: LeakKind, track: int | None) -> Leak:
    """Build the leak of one group."""
    # The earliest of equal scores, so that a second check of the same files gives the leak the same key.
    best = max(group, key=lambda detection: (detection.score, -detection.frame))
    first, last = group[0].frame, group[-1].frame
    # The key has no running number: a judgement names the leak by it, and must never apply to another leak.
    edges = "-".join(str(edge) for edge in best.box.to_pixel_bounds())
    return Leak(
        key=f"{kind}:{best.frame}:{edges}",
        kind=kind,
        frame=best.frame,
        box=best.box,
        score=best.score,
        detector=best.detector,
        first=first,
        last=last,
        seen=tuple(group),
        track=track,
        finding=_describe_leak(kind, best, (first, last), track),
    )


def is_doubtful(group: Sequence[OutputDetection], frames: Sequence[AmendedFrame]) -> bool:
    """Return whether the record lists a possible face at the place of the group, in any of its frames."""
    return any(
        possible.box.iou(detection.box) >= _SAME_FACE_IOU
        for detection in group
        for possible in frames[detection.frame].doubtful
    )


def find_nearest_track(
    group: Sequence[OutputDetection], frames: Sequence[AmendedFrame], reach_frames: int
) -> int | None:
    """Return the track with the largest overlap with a face outside every mask, None if none overlaps it.

    The frames of the group count, and those up to `reach_frames` before and after each.
    """
    overlaps: dict[int, float] = {}
    for detection in group:
        for frame in frames[max(0, detection.frame - reach_frames) : detection.frame + reach_frames + 1]:
            for face in frame.faces:
                iou = face.box.iou(detection.box)
                if iou >= _LINK_IOU:
                    overlaps[face.track] = max(iou, overlaps.get(face.track, 0.0))
    return max(overlaps, key=lambda track: (overlaps[track], -track), default=None)


def find_unmasked_leaks(
    unapplied_masks: Mapping[int, Sequence[tuple[int, Box, float]]], cuts: Sequence[int], reach_frames: int
) -> Iterator[Leak]:
    """Build the leaks of masks that are not in the output, one for each stretch of frames.

    Args:
        unapplied_masks: By track, the frame, the box and the likeness to the source of each such mask.
        cuts: First frames of the scenes.
        reach_frames: Largest distance of two frames of one leak.
    """
    for track, places in sorted(unapplied_masks.items()):
        run: list[OutputDetection] = []
        for frame, box, value in places:
            if run and (frame - run[-1].frame > reach_frames or any(run[-1].frame < cut <= frame for cut in cuts)):
                yield build_leak(run, "unmasked", track)
                run = []
            run.append(OutputDetection(frame, box, round(min(1.0, max(0.0, value)), 4), COMPARISON_DETECTOR))
        if run:
            yield build_leak(run, "unmasked", track)


def _can_link(
    detection: OutputDetection, group: Sequence[OutputDetection], cuts: Sequence[int], reach_frames: int
) -> bool:
    last = group[-1]
    if detection.frame - last.frame > reach_frames or any(last.frame < cut <= detection.frame for cut in cuts):
        return False
    # In one frame two boxes apart are two faces. In another frame the face may have moved by up to its own size.
    if last.frame == detection.frame:
        return last.box.iou(detection.box) >= _LINK_IOU
    return last.box.iou(detection.box) >= _LINK_IOU or _measure_distance(last.box, detection.box) < 1.0


def _measure_distance(one: Box, other: Box) -> float:
    """Return the distance of the centres in longer sides of the smaller box."""
    (x, y), (u, v) = one.centre, other.centre
    side = min(max(one.width, one.height), max(other.width, other.height))
    return max(abs(x - u), abs(y - v)) / side


def _describe_leak(kind: LeakKind, best: OutputDetection, frame_range: tuple[int, int], track: int | None) -> str:
    frames = describe_range(frame_range[0], frame_range[1] + 1)
    mask = "its mask" if track is None else f"the mask of track {track}"
    match kind:
        case "unmasked":
            return f"{mask} is not in the output in {frames}: the source shows there (likeness {best.score:.2f})"
        case "weak":
            return f"under {mask}, {best.detector} still finds a face in {frames} (score {best.score:.2f})"
        case "unrecorded" if best.detector == RECORD_RULES_DETECTOR:
            return f"the record has no mask of track {track} in {frames}, where its own settings put one"
        case "unrecorded":
            near = "" if track is None else f", next to track {track}"
            return f"{best.detector} finds a face where no mask is in {frames}{near} (score {best.score:.2f})"
