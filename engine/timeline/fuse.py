"""Fusion: detections of one frame by several detectors become faces. Everything that any detector flags is covered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from engine.core.geometry import Box
from engine.core.json_decoder import decode_json
from engine.core.packed_sequence import PackedSequence
from engine.record import Detection, FusionSettings
from engine.timeline.box_arrays import boxes_to_array, measure_overlaps


class FusedFace(msgspec.Struct, frozen=True, array_like=True):
    """One face of one frame.

    Attributes:
        box: the box to cover: the hull of the detections.
        evidence: the best detection of each detector that found the face, sorted by detector.
    """

    box: Box
    evidence: tuple[Detection, ...]


def pack_fused(frames: Iterable[Sequence[FusedFace]]) -> PackedSequence[Sequence[FusedFace]]:
    """Pack the faces of all frames into little memory."""
    return PackedSequence(frames, _encoder.encode, _decode_fused)


_encoder = msgspec.json.Encoder()


def _decode_fused(data: bytes) -> Sequence[Sequence[FusedFace]]:
    return decode_json(data, type=tuple[tuple[FusedFace, ...], ...], unique_keys=False)


@dataclass(slots=True)
class _FaceGroup:
    box: Box
    evidence: dict[str, Detection]
    best: Detection

    def grow_hull(self, box: Box, best: Detection, settings: FusionSettings) -> Box | None:
        """Return the hull with `box`; None if it would be too large for the better of the two best detections."""
        # Without the limit, one wild box that contains several faces would merge them all into one.
        hull = self.box.hull(box)
        return hull if hull.area <= settings.growth * min(self.best, best, key=_evidence_sort_key).box.area else None


def fuse_detections(detections: Iterable[Detection], settings: FusionSettings) -> list[FusedFace]:
    """Fuse the detections of one frame into faces, sorted by box; the order of the detections does not matter.

    Every detection lies within the box of a face. A face has at most one detection of each detector as evidence.

    Args:
        detections: detections of one frame by any detectors, in display pixels.
        settings: conditions under which two boxes are the same face.
    """
    by_detector: dict[str, list[Detection]] = {}
    for detection in detections:
        by_detector.setdefault(detection.detector, []).append(detection)
    # Each detector's duplicates are joined first: its two boxes of one face would otherwise say that there are two
    # faces, and `_merge_groups` would keep other detectors from joining them. Sorted by name, so that the order of the
    # answers has no effect on the record.
    groups = [group for name in sorted(by_detector) for group in _group_duplicates(by_detector[name], settings)]
    faces = (
        FusedFace(group.box, tuple(group.evidence[name] for name in sorted(group.evidence)))
        for group in _merge_groups(groups, settings)
    )
    return sorted(faces, key=_face_sort_key)


def _group_duplicates(detections: Iterable[Detection], settings: FusionSettings) -> list[_FaceGroup]:
    """Group the detections of one detector by face; duplicates widen the box and are no further evidence."""
    groups: list[_FaceGroup] = []
    ranked = sorted(detections, key=_evidence_sort_key)
    boxes = boxes_to_array(seen.box for seen in ranked)
    overlaps = measure_overlaps(boxes, boxes)
    best_ranks: list[int] = []
    for rank, seen in enumerate(ranked):
        # Compared with the best detection of a group and not with its hull: a chain of boxes, each overlapping the one
        # before, would otherwise widen the group across neighbouring faces.
        home = groups[overlaps[rank, best_ranks].argmax()] if groups else None
        if (
            home
            and _is_duplicate(seen.box, home.best.box, settings)
            and (hull := home.grow_hull(seen.box, seen, settings))
        ):
            home.box = hull
        else:
            groups.append(_FaceGroup(seen.box, {seen.detector: seen}, seen))
            best_ranks.append(rank)
    return groups


def _is_duplicate(box: Box, best: Box, settings: FusionSettings) -> bool:
    """Return True if a box of a detector shows the same face as its better one."""
    shared = box.intersection_area(best)
    if shared >= settings.duplicate * (box.area + best.area - shared):
        return True
    # Of a face that fills the picture a detector finds parts, too: forehead, mouth and chin in a box of their own. A
    # box much smaller than the better one may be another face: a wild box can contain a crowd.
    return shared >= settings.containment * box.area and settings.growth * box.area >= best.area


def _merge_groups(groups: list[_FaceGroup], settings: FusionSettings) -> list[_FaceGroup]:
    """Merge groups of different detectors that are the same face, the pairs with the greatest overlap first."""
    if len(groups) < 2:
        return groups
    boxes = boxes_to_array(group.box for group in groups)
    overlaps = measure_overlaps(boxes, boxes)
    # Greatest overlap first, so that of two people side by side each is merged with their own box, not the neighbour's.
    pairs = sorted(
        (-overlaps[first, second], first, second)
        for first, second in np.argwhere(np.tril(overlaps, -1) > 0.0).tolist()
        if groups[first].best.detector != groups[second].best.detector
        and is_same_face(groups[first].box, groups[second].box, settings)
    )
    home, members = list(groups), [[place] for place in range(len(groups))]
    for _, first, second in pairs:
        one, other = home[first], home[second]
        # A detector that found two boxes says that there are two faces; another detector must not join them.
        if one.evidence.keys() & other.evidence.keys():
            continue
        if hull := one.grow_hull(other.box, other.best, settings):
            joint = _FaceGroup(hull, one.evidence | other.evidence, min(one.best, other.best, key=_evidence_sort_key))
            joined = members[first] + members[second]
            for place in joined:
                home[place], members[place] = joint, joined
    # A merged group is in the list once for each of its members.
    return list({id(group): group for group in home}.values())


def is_same_face(one: Box, other: Box, settings: FusionSettings) -> bool:
    """Return True if two boxes of one frame show the same face."""
    shared = one.intersection_area(other)
    if shared <= 0.0:
        return False
    areas = one.area, other.area
    # IoU alone is not enough: detectors draw boxes of different sizes, and a small box within a large one has a low IoU
    # although both show the same face.
    return shared >= settings.containment * min(areas) or shared >= settings.iou * (sum(areas) - shared)


def _evidence_sort_key(seen: Detection) -> tuple[float, str, float, float, float, float]:
    box = seen.box
    # Detector and box break ties of equal scores; no sort here may depend on the order in which detections arrive.
    return -seen.score, seen.detector, box.left, box.top, box.right, box.bottom


def _face_sort_key(
    face: FusedFace,
) -> tuple[float, float, float, float, tuple[tuple[float, str, float, float, float, float], ...]]:
    box = face.box
    return box.left, box.top, box.right, box.bottom, tuple(map(_evidence_sort_key, face.evidence))
