"""From what detectors found in an output to leaks: what lies under a mask, what is believed, what belongs together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from engine.assurance.leak_check.report import Leak, LeakKind, LeakSettings, OutputDetection
from engine.core.frame_ranges import describe_range
from engine.core.geometry import Box
from engine.review.apply import AmendedFace, AmendedFrame

COMPARISON_DETECTOR = "comparison"
"""Who finds that a mask is not in the output: nobody's detector."""
RECORD_RULES_DETECTOR = "record"
"""Who finds that a mask is not in the record which its own settings ask for: nobody's detector either."""
_FACE_CORE_SHARE = 0.6
"""Share of the sides of a detector's box that is surely face: its middle."""
_UNDER_MASK_SHARE = 0.5
"""Share of that middle that lies under one mask from which the mask counts as being over the face."""
_SAME_FACE_IOU = 0.3
"""IoU at which a sighting that the detection doubted, or a face kept visible, is the one that was found."""
_LINK_IOU = 0.2
"""IoU from which findings of neighbouring frames, or of two detectors, are of one face."""


class DetectionsByMask(NamedTuple):
    """What was found, by where: in the open, and under a mask together with that mask's face."""

    unmasked: list[OutputDetection]
    masked: list[tuple[OutputDetection, AmendedFace]]


def split_by_mask(detections: Iterable[OutputDetection], frames: Sequence[AmendedFrame]) -> DetectionsByMask:
    """Tell findings in the open from those under a mask; faces that are kept visible are left out."""
    sifted = DetectionsByMask([], [])
    for glimpse in detections:
        frame = frames[glimpse.frame]
        if frame.covered or any(face.visible and face.box.iou(glimpse.box) >= _SAME_FACE_IOU for face in frame.faces):
            continue
        over = find_mask_over(glimpse.box, frame)
        if over is None:
            sifted.unmasked.append(glimpse)
        else:
            sifted.masked.append((glimpse, over))
    return sifted


def find_mask_over(box: Box, frame: AmendedFrame) -> AmendedFace | None:
    """The face of the plan whose mask lies over the middle of `box`, None when that is open."""
    middle = box.scale(_FACE_CORE_SHARE)
    masked = [face for face in frame.faces if not face.visible]
    best = max(masked, key=lambda face: face.box.intersection_area(middle), default=None)
    return best if best is not None and best.box.intersection_area(middle) >= _UNDER_MASK_SHARE * middle.area else None


def link_detections(
    detections: Iterable[OutputDetection], cuts: Sequence[int], reach_frames: int
) -> list[list[OutputDetection]]:
    """Findings of one face together, by frame: of neighbouring frames at most `reach_frames` apart, never across a
    cut.
    """
    groups: list[list[OutputDetection]] = []
    for glimpse in sorted(detections, key=lambda one: (one.frame, -one.score, one.detector, one.box.left, one.box.top)):
        home = min(
            (group for group in groups if _can_link(glimpse, group, cuts, reach_frames)),
            key=lambda group: _measure_distance(group[-1].box, glimpse.box),
            default=None,
        )
        if home is None:
            groups.append([glimpse])
        else:
            home.append(glimpse)
    return groups


def is_confirmed(group: Sequence[OutputDetection], settings: LeakSettings) -> bool:
    """Whether findings are of a face: two detectors agree in a frame, or the record lacks a mask by its own settings.

    One detector alone errs again and again alike.
    """
    if has_missing_mask(group):
        return True
    by_frame: defaultdict[int, set[str]] = defaultdict(set)
    for glimpse in group:
        if glimpse.score >= settings.likely:
            by_frame[glimpse.frame].add(glimpse.detector)
    return any(len(detectors) > 1 for detectors in by_frame.values())


def has_missing_mask(group: Iterable[OutputDetection]) -> bool:
    """Whether any of these is a mask that the record lacks by its own settings."""
    return any(glimpse.detector == RECORD_RULES_DETECTOR for glimpse in group)


def build_leak(group: Sequence[OutputDetection], kind: LeakKind, track: int | None) -> Leak:
    """One leak of findings that belong together."""
    best = max(group, key=lambda one: (one.score, -one.frame))
    first, last = group[0].frame, group[-1].frame
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
    """Whether the detection had seen the same and doubted it, in any frame of the group."""
    return any(
        seen.box.iou(glimpse.box) >= _SAME_FACE_IOU for glimpse in group for seen in frames[glimpse.frame].doubtful
    )


def find_nearest_track(
    group: Sequence[OutputDetection], frames: Sequence[AmendedFrame], reach_frames: int
) -> int | None:
    """The track whose mask comes nearest to a face in the open, in its frames or up to `reach_frames` frames beside
    them.
    """
    shares: dict[int, float] = {}
    for glimpse in group:
        for frame in frames[max(0, glimpse.frame - reach_frames) : glimpse.frame + reach_frames + 1]:
            for face in frame.faces:
                share = face.box.iou(glimpse.box)
                if share >= _LINK_IOU:
                    shares[face.track] = max(share, shares.get(face.track, 0.0))
    return max(shares, key=lambda track: (shares[track], -track), default=None)


def find_unmasked_leaks(
    unapplied_masks: Mapping[int, Sequence[tuple[int, Box, float]]], cuts: Sequence[int], reach_frames: int
) -> Iterator[Leak]:
    """Leaks of masks that are not in the output.

    Args:
        unapplied_masks: by track: frame, box and likeness to the source of each mask under which the source shows.
        cuts: first frames of scenes.
        reach_frames: frames between that may be missing.
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
    if last.frame == detection.frame:
        return last.box.iou(detection.box) >= _LINK_IOU
    return last.box.iou(detection.box) >= _LINK_IOU or _measure_distance(last.box, detection.box) < 1.0


def _measure_distance(one: Box, other: Box) -> float:
    """Of the middles, in sides of the smaller box."""
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
