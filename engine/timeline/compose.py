"""From what detectors saw to the faces of a record: fuse, track, smooth, in this order."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from engine.geometry import Box, Size
from engine.record import Evidence, Face, FusionSettings, SmoothingSettings, TrackingSettings
from engine.timeline.cuts import find_cuts
from engine.timeline.fuse import Fused, fuse
from engine.timeline.smooth import ORIGINS, Course, smooth
from engine.timeline.track import edges, track

Sightings = Mapping[str, Sequence[tuple[Box, float]]]
"""What each detector saw in one frame: boxes in display pixels with scores 0 to 1."""


class Timeline(NamedTuple):
    """What was found: the faces of every frame, what was seen of no face, and the frames that begin a new scene.

    Attributes:
        faces: of every frame, sorted by track.
        doubtful: of every frame, sightings on tracks without one that is sure.
        cuts: indices of frames.
    """

    faces: list[list[Face]]
    doubtful: list[list[Evidence]]
    cuts: tuple[int, ...]


def build(  # noqa: PLR0913, PLR0917 - each stage has its own settings
    frames: Iterable[Sightings],
    cut_values: Sequence[float],
    size: Size,
    fusion: FusionSettings,
    tracking: TrackingSettings,
    smoothing: SmoothingSettings,
    sure: Mapping[str, float] | None = None,
) -> Timeline:
    """The faces of every frame, sorted by track, and the frames that begin a new scene.

    Every sighting that is sure, or on a track that is, lies, clipped to the frame, within a face of its frame. Evidence is clipped to the frame and rounded
    outwards to the record's grid; a sighting wholly outside the frame is left out.

    Args:
        frames: sightings of every frame, in order.
        cut_values: for every frame its `cuts.change` to the one before (the first is ignored).
        size: display size of the frames.
        fusion: when sightings are one face.
        tracking: when faces are one track.
        smoothing: what is added.
        sure: by detector, the score from which its sighting makes a face by itself; from 0 on for the others.

    Raises:
        ValueError: there are not as many cut values as frames.
    """
    fused = [fuse(_on_grid(sightings, size), fusion) for sightings in frames]
    if len(fused) != len(cut_values):
        raise ValueError(f"{len(fused)} frames need as many cut values, got {len(cut_values)}")
    cuts = find_cuts(cut_values, tracking)
    timeline = Timeline([[] for _ in fused], [[] for _ in fused], cuts)
    number = 0
    for sighted in _sightings_of_tracks(fused, cuts, tracking):
        if not _is_face([_support(face, sure or {}) for _, face in sighted], tracking.support if len(fused) > 1 else 1.0):
            for index, face in sighted:
                timeline.doubtful[index].extend(face.evidence)
            continue
        scene = _scene(sighted[0][0], cuts, len(fused))
        indices = np.array([index for index, _ in sighted])
        course = smooth(indices, edges([face for _, face in sighted]), scene, smoothing)
        for index, face in _faces(number, course, dict(sighted), size):
            timeline.faces[index].append(face)
        number += 1
    return timeline


def _support(face: Fused, sure: Mapping[str, float]) -> float:
    """How sure a face is: each detector's score over the score at which it is sure, summed; 1 is enough.

    So two detectors that are each half sure of the same face are as good as one that is sure of it.
    """
    return sum(
        seen.score / least if (least := sure.get(seen.detector, 0.0)) > 0 else math.inf for seen in face.evidence
    )


def _is_face(support: Sequence[float], least: float) -> bool:
    """Whether a track is one, by the support of its sightings."""
    return max(support) >= 1.0 and sum(support) >= least


def _on_grid(sightings: Sightings, size: Size) -> Sightings:
    return {
        detector: [(kept, round(score, 4)) for box, score in seen if (kept := box.rounded(size))]
        for detector, seen in sightings.items()
    }


def _sightings_of_tracks(
    fused: Sequence[Sequence[Fused]], cuts: tuple[int, ...], settings: TrackingSettings
) -> list[list[tuple[int, Fused]]]:
    """For each track, the frames it was seen in with the face there."""
    tracks: list[list[tuple[int, Fused]]] = []
    for index, (faces, numbers) in enumerate(zip(fused, track(fused, cuts, settings), strict=True)):
        for face, number in zip(faces, numbers, strict=True):
            if number == len(tracks):
                tracks.append([])
            tracks[number].append((index, face))
    return tracks


def _scene(index: int, cuts: tuple[int, ...], count: int) -> tuple[int, int]:
    """First frame of the scene that holds `index`, and first frame after it."""
    bounds = (0, *cuts, count)
    place = bisect_right(bounds, index, hi=len(bounds) - 1)
    return bounds[place - 1], bounds[place]


def _faces(number: int, course: Course, seen: Mapping[int, Fused], size: Size) -> Iterator[tuple[int, Face]]:
    for index, place, origin in zip(
        course.frames.tolist(), course.boxes.tolist(), course.origins.tolist(), strict=True
    ):
        box = Box(*place).rounded(size)
        if box is not None:
            yield index, Face(number, box, ORIGINS[origin], seen[index].evidence if index in seen else ())
