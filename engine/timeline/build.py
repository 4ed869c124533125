"""From detections to the faces of a record: fuse, track, smooth, in this order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from engine.core.geometry import Box, Size
from engine.core.scenes import Scenes
from engine.record import Detection, Face, FusionSettings, SmoothingSettings, TrackingSettings
from engine.timeline.cuts import find_cuts
from engine.timeline.fuse import FusedFace, fuse_detections
from engine.timeline.smooth import ORIGINS, TrackPath, path_without_smoothing, smooth_track
from engine.timeline.track import assign_tracks, boxes_to_array
from engine.timeline.track_confirmation import CONFIDENT_SUPPORT, compute_support, is_face, select_held_frames


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


class Timeline(NamedTuple):
    """The faces of a video.

    Attributes:
        faces: the faces of each frame, sorted by track.
        doubtful: the possible faces of each frame that are not masked: detections with a confident score whose track
            does not confirm them.
        cuts: indices of the frames that begin a new scene.
    """

    faces: list[list[Face]]
    doubtful: list[list[Detection]]
    cuts: tuple[int, ...]


def build_timeline(
    frames: Iterable[Iterable[Detection]],
    cut_values: Sequence[float],
    size: Size,
    settings: TimelineSettings,
    confident_scores: Mapping[str, float] | None = None,
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

    Raises:
        ValueError: the numbers of frames and cut values differ.
    """
    fused = [fuse_detections(_round_to_grid(detections, size), settings.fusion) for detections in frames]
    if len(fused) != len(cut_values):
        raise ValueError(f"{len(fused)} frames need as many cut values, got {len(cut_values)}")
    cuts = find_cuts(cut_values, settings.tracking)
    scenes = Scenes(cuts, len(fused))
    # Tracks without a face are left out, so track numbers are counted anew: a record's tracks have no gaps.
    timeline = Timeline([[] for _ in fused], [[] for _ in fused], cuts)
    number = 0
    for sighted in _group_by_track(fused, cuts, settings.tracking):
        supported = [(index, compute_support(face.evidence, confident_scores or {})) for index, face in sighted]
        kept = _select_face_frames(supported, settings.tracking, len(fused))
        for (index, face), (_, value) in zip(sighted, supported, strict=True):
            # A weak detection that nothing confirms is noise; a confident one may be a face that shows only briefly.
            if index not in kept and value >= CONFIDENT_SUPPORT:
                timeline.doubtful[index].extend(face.evidence)
        if kept:
            faces = {index: face for index, face in sighted if index in kept}
            # No track crosses a cut, so any of its frames tells the scene.
            scene = scenes.find_scene(min(kept))
            frames, boxes = np.array(list(faces)), boxes_to_array(list(faces.values()))
            course = (
                smooth_track(frames, boxes, scene, settings.smoothing)
                if len(fused) > 1
                else path_without_smoothing(frames, boxes)
            )
            for index, covered in _faces_from_path(number, course, faces, size):
                timeline.faces[index].append(covered)
            number += 1
    return timeline


def _select_face_frames(
    supported: Sequence[tuple[int, float]], settings: TrackingSettings, frame_count: int
) -> frozenset[int]:
    """Return the frames in which the detections of a track count as a face."""
    # In a single picture no frame before or after can confirm a face, so a confident detection is enough there.
    if frame_count > 1 and not is_face(supported, settings):
        return frozenset()
    return select_held_frames(supported, settings.hold)


def _round_to_grid(detections: Iterable[Detection], size: Size) -> Iterator[Detection]:
    for one in detections:
        # Rounded before anything is computed from it, so that the faces of a record follow from the evidence that it
        # states.
        if box := one.box.round_outwards(size):
            yield Detection(one.detector, box, round(one.score, 4))


def _group_by_track(
    fused: Sequence[Sequence[FusedFace]], cuts: tuple[int, ...], settings: TrackingSettings
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
