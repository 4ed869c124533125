"""From detections to the faces of a record: fuse, track, smooth, in this order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from engine.core.geometry import Box, Size
from engine.core.scenes import Scenes
from engine.record import (
    Detection,
    Face,
    FusionSettings,
    SmoothingInFrames,
    SmoothingSettings,
    TrackingInFrames,
    TrackingSettings,
)
from engine.record.time_settings import REFERENCE_FRAME_S
from engine.timeline.carried import CarriedPath, place_carried, select_paths
from engine.timeline.cuts import find_cuts
from engine.timeline.fuse import FusedFace, fuse_detections
from engine.timeline.smooth import ORIGINS, TrackPath, path_without_smoothing, smooth_track
from engine.timeline.track import assign_tracks, boxes_to_array
from engine.timeline.track_confirmation import CONFIDENT_SUPPORT, compute_support, is_face, select_held_frames

Row = TypeVar("Row")


class TimelineSettings(Protocol):
    """The three groups of settings that the stages take; `DetectOptions` and `DetectionConfig` have them."""

    @property
    def fusion(self) -> FusionSettings:
        """Settings that join detections of one frame into faces."""

    @property
    def tracking(self) -> TrackingSettings:
        """Settings that join faces of successive frames into tracks."""

    @property
    def smoothing(self) -> SmoothingSettings:
        """Settings for interpolation, extension and margins."""


class Looks(NamedTuple):
    """Which frames the detectors looked at, and what is known of the others.

    Attributes:
        frame_s: usual duration of a frame in seconds.
        looked: for every frame, whether a detector looked at it. None: at every frame.
        paths: the faces that were carried into the frames between.
    """

    frame_s: float = REFERENCE_FRAME_S
    looked: Sequence[bool] | None = None
    paths: Sequence[CarriedPath] = ()


class Timeline(NamedTuple):
    """The faces of a video.

    Attributes:
        faces: the faces of each frame, sorted by track.
        doubtful: the possible faces of each frame that are not masked: detections with a confident score whose track
            does not confirm them.
        cuts: indices of the frames that begin a new scene.
    """

    faces: Sequence[Sequence[Face]]
    doubtful: Sequence[Sequence[Detection]]
    cuts: tuple[int, ...]


def build_timeline(  # noqa: PLR0913, PLR0917 - the last two have defaults
    frames: Iterable[Iterable[Detection]],
    cut_values: Sequence[float],
    size: Size,
    settings: TimelineSettings,
    confident_scores: Mapping[str, float] | None = None,
    looks: Looks = Looks(),  # noqa: B008 - immutable
) -> Timeline:
    """Build the faces of every frame from its detections.

    Every detection of a confirmed track (see `engine.timeline.track_confirmation`), clipped to the frame, lies within a
    face of its frame. Evidence is clipped to the frame and rounded outwards to the record's grid; a detection outside
    the frame is dropped.

    Args:
        frames: detections of every frame, in order.
        cut_values: for every frame its change from the frame before (see `cuts.measure_change`); the first is ignored.
        size: display size of the frames.
        settings: settings of the three stages.
        confident_scores: confident score by detector; for a detector that is absent, any score is confident.
        looks: which frames were looked at, and what was carried into the others.

    Raises:
        ValueError: the numbers of frames and cut values differ.
    """
    # One empty tuple for all frames without a detection: a list for each would be 15 MB an hour.
    fused = [fuse_detections(_round_to_grid(detections, size), settings.fusion) or () for detections in frames]
    if len(fused) != len(cut_values):
        raise ValueError(f"{len(fused)} frames need as many cut values, got {len(cut_values)}")
    cuts = find_cuts(cut_values, settings.tracking)
    tracking = settings.tracking.in_frames(looks.frame_s)
    smoother = _TrackSmoother(Scenes(cuts, len(fused)), settings.smoothing.in_frames(looks.frame_s), looks, len(fused))
    look_positions = _count_looks(looks, len(fused))
    # Tracks without a face are left out, so track numbers are counted anew: a record's tracks have no gaps.
    all_faces, doubtful = defaultdict[int, list[Face]](list), defaultdict[int, list[Detection]](list)
    number = 0
    for sighted in _group_by_track(fused, cuts, tracking):
        supported = [(index, compute_support(face.evidence, confident_scores or {})) for index, face in sighted]
        kept = _select_face_frames(supported, tracking, look_positions)
        for (index, face), (_, value) in zip(sighted, supported, strict=True):
            # A weak detection that nothing confirms is noise; a confident one may be a face that shows only briefly.
            if index not in kept and value >= CONFIDENT_SUPPORT:
                doubtful[index].extend(face.evidence)
        if kept:
            faces = {index: face for index, face in sighted if index in kept}
            for index, covered in _faces_from_path(number, smoother.smooth(faces), faces, size):
                all_faces[index].append(covered)
            number += 1
    return Timeline(_spread(all_faces, len(fused)), _spread(doubtful, len(fused)), cuts)


def _spread(rows: Mapping[int, list[Row]], frame_count: int) -> Sequence[Sequence[Row]]:
    """Return the row of every frame; frames without one share an empty one."""
    nothing: Sequence[Row] = []
    return [rows.get(index, nothing) for index in range(frame_count)]


class _TrackSmoother:
    """Builds the path of a track from its detections and from the boxes that were carried from them."""

    def __init__(self, scenes: Scenes, settings: SmoothingInFrames, looks: Looks, frame_count: int) -> None:
        self._scenes, self._settings, self._frame_count = scenes, settings, frame_count
        self._paths_by_look: dict[int, list[CarriedPath]] = {}
        for path in looks.paths:
            self._paths_by_look.setdefault(path.look, []).append(path)

    def smooth(self, faces: Mapping[int, FusedFace]) -> TrackPath:
        """Return the path of the track that was detected as `faces`, by frame."""
        frames, boxes = np.array(list(faces)), boxes_to_array([face.box for face in faces.values()])
        if self._frame_count == 1:
            return path_without_smoothing(frames, boxes)
        # No track crosses a cut, so any of its frames tells the scene.
        scene = self._scenes.find_scene(min(faces))
        return smooth_track(frames, boxes, scene, self._settings, self._carried_boxes(faces, scene))

    def _carried_boxes(self, faces: Mapping[int, FusedFace], scene: tuple[int, int]) -> dict[int, Box]:
        paths = [
            path
            for index, face in faces.items()
            for path in select_paths(self._paths_by_look.get(index, ()), [face.box])[0]
        ]
        placed = place_carried({index: face.box for index, face in faces.items()}, paths, self._settings.gap)
        return {index: box for index, box in placed.items() if scene[0] <= index < scene[1]}


def _count_looks(looks: Looks, frame_count: int) -> Sequence[int]:
    """Return for every frame the number of looks before it."""
    if looks.looked is None:
        return range(frame_count)
    return list(accumulate(looks.looked[:-1], initial=0))


def _select_face_frames(
    supported: Sequence[tuple[int, float]], settings: TrackingInFrames, look_positions: Sequence[int]
) -> frozenset[int]:
    """Return the frames in which the detections of a track count as a face."""
    # In a single picture no frame before or after can confirm a face, so a confident detection is enough there.
    by_look = [(look_positions[index], value) for index, value in supported]
    if len(look_positions) > 1 and not is_face(by_look, settings):
        return frozenset()
    return select_held_frames(supported, settings.hold)


def _round_to_grid(detections: Iterable[Detection], size: Size) -> Iterator[Detection]:
    for one in detections:
        # Rounded before anything is computed from it, so that the faces of a record follow from the evidence that it
        # states.
        if box := one.box.round_outwards(size):
            yield Detection(one.detector, box, round(one.score, 4))


def _group_by_track(
    fused: Sequence[Sequence[FusedFace]], cuts: tuple[int, ...], settings: TrackingInFrames
) -> list[list[tuple[int, FusedFace]]]:
    """Return for each track its frames, each with the fused face."""
    tracks: list[list[tuple[int, FusedFace]]] = []
    for index, (faces, numbers) in enumerate(zip(fused, assign_tracks(fused, cuts, settings), strict=True)):
        for face, number in zip(faces, numbers, strict=True):
            if number == len(tracks):
                tracks.append([])
            tracks[number].append((index, face))
    return tracks


def _faces_from_path(
    track_number: int, path: TrackPath, seen: Mapping[int, FusedFace], size: Size
) -> Iterator[tuple[int, Face]]:
    for index, place, origin in zip(path.frames.tolist(), path.boxes.tolist(), path.origins.tolist(), strict=True):
        box = Box(*place).round_outwards(size)
        if box is not None:
            yield index, Face(track_number, box, ORIGINS[origin], seen[index].evidence if index in seen else ())
