"""Choose where planted faces go: segments of the video, and a free path through each segment for every face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from engine.assurance.planted_faces.compositing import (
    MIN_FACE_HEIGHT_PX,
    Appearance,
    DonorFace,
    FacePath,
    collect_face_heights,
    draw_appearance,
    draw_donor_face,
    draw_path,
    measure_border_share,
    measure_face_speed,
)
from engine.assurance.planted_faces.report import PlantedFaceSettings
from engine.core.geometry import Box
from engine.core.scenes import Scenes
from engine.record import Record

_MAX_PATH_TRIES = 40
"""Number of paths drawn for a face at one height before a smaller height is tried."""
_HEIGHT_SHARES = (1.0, 0.7, 0.5, 0.3)
"""Shares of the drawn height that are tried in turn until the face fits."""
_CLEARANCE_SCALE = 1.4
"""Sides of the area that is kept free around a face, as a multiple of the sides of its box."""


@dataclass(frozen=True, slots=True)
class PlacedFace:
    """A face with its path through one segment."""

    donor: DonorFace
    appearance: Appearance
    path: FacePath
    segment: range
    noise_seed: int

    def locate(self, frame_index: int) -> Box:
        """Return the box of the face in a frame of the segment; it may lie partly outside the frame."""
        return self.path.locate(frame_index - self.segment.start)


@dataclass(frozen=True, slots=True)
class Placement:
    """The faces to plant, by the first frame of their segment, and how many found no free place."""

    faces_by_segment: dict[int, list[PlacedFace]]
    left_out_count: int


def choose_segments(record: Record, settings: PlantedFaceSettings, generator: np.random.Generator) -> tuple[range, ...]:
    """Draw the segments of a video, as many as the settings allow but at least one."""
    frame_count = len(record.frames)
    affordable = int(settings.share * frame_count / settings.length)
    segment_count = max(1, min(settings.segments, affordable))
    return tuple(draw_segments(frame_count, record.cuts, settings.length, segment_count, generator))


def place_faces(
    record: Record,
    donors: Sequence[DonorFace],
    segments: Sequence[range],
    faces_per_segment: int,
    generator: np.random.Generator,
) -> Placement:
    """Draw the faces of every segment, and for each a path that keeps clear of all other faces.

    Args:
        record: The record of the video; its faces set the sizes and speeds, and their places stay free.
        donors: The faces to plant. Without any, nothing is planted.
        segments: The segments, from `choose_segments`.
        faces_per_segment: Number of faces to plant into each.
        generator: Source of all random choices. Their order is fixed, so that the same video gives the same faces.
    """
    heights, speed = collect_face_heights(record), measure_face_speed(record)
    border_share = measure_border_share(record)
    placed: dict[int, list[PlacedFace]] = {segment.start: [] for segment in segments}
    left_out_count = 0
    for segment in segments:
        occupied = [face.box.scale(_CLEARANCE_SCALE) for index in segment for face in record.frames[index].faces]
        for _ in range(faces_per_segment if donors else 0):
            appearance = draw_appearance(heights, record.display, border_share, generator)
            donor, appearance = draw_donor_face(donors, appearance, generator)
            face = _PathFinder(record, segment, speed, occupied, generator).fit_face(donor, appearance)
            if face is None:
                left_out_count += 1
                continue
            occupied += [face.locate(index).scale(_CLEARANCE_SCALE) for index in segment]
            placed[segment.start].append(face)
    return Placement(placed, left_out_count)


@dataclass(frozen=True, slots=True)
class _PathFinder:
    """Looks for a free path through one segment; `occupied` are the areas that other faces take up in any frame."""

    record: Record
    segment: range
    speed: float
    occupied: Sequence[Box]
    generator: np.random.Generator

    def fit_face(self, donor: DonorFace, appearance: Appearance) -> PlacedFace | None:
        """Place a face, smaller than drawn if there is no room; None if there is no room at any height."""
        for share in _HEIGHT_SHARES:
            height = round(max(appearance.height * share, MIN_FACE_HEIGHT_PX), 2)
            fitted = msgspec.structs.replace(appearance, height=height)
            path = self._draw_free_path(fitted, donor.face_box.width / donor.face_box.height)
            if path is not None:
                return PlacedFace(donor, fitted, path, self.segment, int(self.generator.integers(2**32)))
        return None

    def _draw_free_path(self, appearance: Appearance, aspect_ratio: float) -> FacePath | None:
        frame_size = self.record.display
        for _ in range(_MAX_PATH_TRIES):
            path = draw_path(appearance, aspect_ratio, frame_size, self.speed, self.generator)
            boxes = [path.locate(elapsed) for elapsed in range(len(self.segment))]
            # More than half of the face has to stay in the picture, or there is too little of it to be found.
            visible = all((part := box.clip(frame_size)) is not None and part.area > box.area / 2 for box in boxes)
            # A path must be clear of where any face is in any frame of the segment, not only at the same time. That
            # costs some places, but a planted face then never touches a real one, which would be found in its stead.
            if visible and not any(box.intersection_area(other) for box in boxes for other in self.occupied):
                return path
        return None


def draw_segments(
    frame_count: int, cuts: Sequence[int], length_frames: int, segment_count: int, generator: np.random.Generator
) -> Iterator[range]:
    """Draw one segment at random from each of `segment_count` equal parts of the video, none across a cut."""
    scenes = Scenes(cuts, frame_count)
    for part in range(segment_count):
        low, high = part * frame_count // segment_count, (part + 1) * frame_count // segment_count
        if high <= low:
            continue
        middle = int(generator.integers(low, high))
        scene_start, scene_stop = scenes.find_scene(middle)
        end = min(high, scene_stop)
        # Shifted back where the scene or the part ends too soon, and shortened where both are shorter than a segment.
        start = max(low, scene_start, min(middle, end - length_frames))
        yield range(start, min(start + length_frames, end))
