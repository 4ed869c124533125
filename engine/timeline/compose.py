"""From what detectors saw to the faces of a record: fuse, track, smooth, in this order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from engine.geometry import Box, Size
from engine.record import Face, FusionSettings, SmoothingSettings, TrackingSettings
from engine.timeline.cuts import find_cuts
from engine.timeline.fuse import Fused, fuse
from engine.timeline.smooth import ORIGINS, Course, smooth
from engine.timeline.track import edges, track

Sightings = Mapping[str, Sequence[tuple[Box, float]]]
"""What each detector saw in one frame: boxes in display pixels with scores 0 to 1."""


def build(  # noqa: PLR0913, PLR0917 - each stage has its own settings
    frames: Iterable[Sightings],
    cut_values: Sequence[float],
    size: Size,
    fusion: FusionSettings,
    tracking: TrackingSettings,
    smoothing: SmoothingSettings,
) -> tuple[list[tuple[Face, ...]], tuple[int, ...]]:
    """The faces of every frame, sorted by track, and the frames that begin a new scene.

    Every sighting, clipped to the frame, lies within a face of its frame. Evidence is clipped to the frame and rounded
    outwards to the record's grid; a sighting wholly outside the frame is left out.

    Args:
        frames: sightings of every frame, in order.
        cut_values: for every frame its `cuts.change` to the one before (the first is ignored).
        size: display size of the frames.
        fusion: when sightings are one face.
        tracking: when faces are one track.
        smoothing: what is added.

    Raises:
        ValueError: there are not as many cut values as frames.
    """
    fused = [fuse(_on_grid(sightings, size), fusion) for sightings in frames]
    if len(fused) != len(cut_values):
        raise ValueError(f"{len(fused)} frames need as many cut values, got {len(cut_values)}")
    cuts = find_cuts(cut_values, tracking)
    faces: list[list[Face]] = [[] for _ in fused]
    for number, sighted in enumerate(_sightings_of_tracks(fused, cuts, tracking)):
        scene = _scene(sighted[0][0], cuts, len(fused))
        indices = np.array([index for index, _ in sighted])
        course = smooth(indices, edges([face for _, face in sighted]), scene, smoothing)
        for index, face in _faces(number, course, dict(sighted), size):
            faces[index].append(face)
    return [tuple(some) for some in faces], cuts


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
