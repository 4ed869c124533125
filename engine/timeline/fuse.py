"""Several detectors' sightings of one frame become faces: the union, blur what any of them flags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from engine.core.geometry import Box
from engine.record import Evidence, FusionSettings


class Fused(msgspec.Struct, frozen=True, array_like=True):
    """One face of one frame: the box to cover, and the best sighting of each detector that saw it, by detector."""

    box: Box
    evidence: tuple[Evidence, ...]


@dataclass(slots=True)
class _Group:
    box: Box
    evidence: dict[str, Evidence]
    best: Evidence

    def grown(self, box: Box, best: Evidence, settings: FusionSettings) -> Box | None:
        """The hull with `box`, or None when that would be too large for the better of two best sightings."""
        hull = self.box.hull(box)
        return hull if hull.area <= settings.growth * min(self.best, best, key=_rank).box.area else None


def fuse(sightings: Mapping[str, Sequence[tuple[Box, float]]], settings: FusionSettings) -> list[Fused]:
    """Faces of one frame, sorted by box; the order of detectors and sightings does not matter.

    Every sighting lies within the box of some face. A face has at most one piece of evidence a detector: its best.

    Args:
        sightings: by detector, boxes in display pixels with scores 0 to 1.
        settings: when two boxes are the same face.
    """
    groups: list[_Group] = []
    for detector in sorted(sightings):
        groups += _own(detector, sightings[detector], settings)
    if len(sightings) > 1:
        groups = _merged(groups, settings)
    faces = (Fused(group.box, tuple(group.evidence[name] for name in sorted(group.evidence))) for group in groups)
    return sorted(faces, key=_place)


def _own(detector: str, sightings: Iterable[tuple[Box, float]], settings: FusionSettings) -> list[_Group]:
    """One group for each face that a detector saw, its duplicates covered."""
    groups: list[_Group] = []
    for seen in sorted((Evidence(detector, box, score) for box, score in sightings), key=_rank):
        home = max(groups, key=lambda group: group.best.box.iou(seen.box), default=None)
        if (
            home
            and home.best.box.iou(seen.box) >= settings.duplicate
            and (hull := home.grown(seen.box, seen, settings))
        ):
            home.box = hull
        else:
            groups.append(_Group(seen.box, {detector: seen}, seen))
    return groups


def _merged(groups: list[_Group], settings: FusionSettings) -> list[_Group]:
    """Groups of different detectors that are the same face made one, the surest pairs first."""
    pairs = [
        (-one.box.iou(other.box), first, second)
        for first, one in enumerate(groups)
        for second, other in enumerate(groups[:first])
        if one.best.detector != other.best.detector and _same(one.box, other.box, settings)
    ]
    home = list(groups)
    for _, first, second in sorted(pairs):
        one, other = home[first], home[second]
        if one.evidence.keys() & other.evidence.keys():
            continue
        if hull := one.grown(other.box, other.best, settings):
            joint = _Group(hull, one.evidence | other.evidence, min(one.best, other.best, key=_rank))
            home = [joint if group is one or group is other else group for group in home]
    return list({id(group): group for group in home}.values())


def _same(one: Box, other: Box, settings: FusionSettings) -> bool:
    shared = one.overlap(other)
    if shared <= 0.0:
        return False
    areas = one.area, other.area
    return shared >= settings.containment * min(areas) or shared >= settings.iou * (sum(areas) - shared)


def _rank(seen: Evidence) -> tuple[float, str, float, float, float, float]:
    box = seen.box
    return -seen.score, seen.detector, box.left, box.top, box.right, box.bottom


def _place(face: Fused) -> tuple[float, float, float, float, tuple[tuple[float, str, float, float, float, float], ...]]:
    box = face.box
    return box.left, box.top, box.right, box.bottom, tuple(map(_rank, face.evidence))
