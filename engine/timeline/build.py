"""From detections to the faces of a record: fuse, track, smooth, in this order."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol, TypeVar

import msgspec
import numpy as np

from engine.core.geometry import Size
from engine.core.json_decoder import decode_json
from engine.core.packed_sequence import PackedSequence
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
from engine.record.support import CONFIDENT_SUPPORT
from engine.record.time_settings import REFERENCE_FRAME_S
from engine.timeline.box_arrays import Boxes
from engine.timeline.carried import CarriedPath, PathsByLook, place_track
from engine.timeline.cuts import find_cuts
from engine.timeline.fuse import FusedFace, fuse_detections, pack_fused
from engine.timeline.smooth import (
    CarriedBoxes,
    FrameIndices,
    TrackPath,
    path_without_smoothing,
    smooth_track,
)
from engine.timeline.track_confirmation import find_held_detections, is_face
from engine.timeline.track_table import FaceTable, TrackDetections, collect_tracks, take_tracks

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
    looked: Sequence[int] | None = None
    paths: Iterable[CarriedPath] = ()


class Timeline(NamedTuple):
    """The faces of a video.

    Attributes:
        faces: the faces of each frame, sorted by track.
        doubtful: the possible faces of each frame that are not masked: detections with a confident score whose track
            does not confirm them.
        cuts: indices of the frames that begin a new scene.
    """

    faces: Sequence[tuple[Face, ...]]
    doubtful: Sequence[tuple[Detection, ...]]
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
    # Packed and in arrays: objects for each frame of a long video would take hundreds of megabytes.
    fused = pack_fused(fuse_detections(_round_to_grid(detections, size), settings.fusion) for detections in frames)
    if len(fused) != len(cut_values):
        raise ValueError(f"{len(fused)} frames need as many cut values, got {len(cut_values)}")
    cuts = find_cuts(cut_values, settings.tracking)
    tracking = settings.tracking.in_frames(looks.frame_s)
    smoother = _TrackSmoother(Scenes(cuts, len(fused)), settings.smoothing.in_frames(looks.frame_s), looks, len(fused))
    look_positions = _count_looks(looks, len(fused))
    faces, doubtful = FaceTable(), defaultdict[int, list[int]](list)
    for track in take_tracks(collect_tracks(fused, cuts, tracking, confident_scores or {})):
        kept = _select_detections(track, tracking, look_positions)
        for place, value in enumerate(track.support):
            # A weak detection that nothing confirms is noise; a confident one may be a face that shows only briefly.
            if value >= CONFIDENT_SUPPORT and place not in kept:
                doubtful[track.frames[place]].append(track.places[place])
        if kept:
            faces.add_track(smoother.smooth(*track.select(kept)), track, kept)
        del track  # which may be as long as the video
    return Timeline(
        _pack(faces.iterate_frames(fused, size), _decode_faces),
        _pack(_iterate_doubtful(doubtful, fused), _decode_detections),
        cuts,
    )


def _iterate_doubtful(
    places: Mapping[int, Sequence[int]], fused: Sequence[Sequence[FusedFace]]
) -> Iterator[tuple[Detection, ...]]:
    for index in range(len(fused)):
        found = places.get(index)
        yield tuple(one for place in found for one in fused[index][place].evidence) if found else ()


_encoder = msgspec.json.Encoder()


def _pack(rows: Iterable[Row], decode: Callable[[bytes], Sequence[Row]]) -> PackedSequence[Row]:
    return PackedSequence(rows, _encoder.encode, decode)


def _decode_faces(data: bytes) -> Sequence[tuple[Face, ...]]:
    return decode_json(data, type=tuple[tuple[Face, ...], ...], unique_keys=False)


def _decode_detections(data: bytes) -> Sequence[tuple[Detection, ...]]:
    return decode_json(data, type=tuple[tuple[Detection, ...], ...], unique_keys=False)


class _TrackSmoother:
    """Builds the path of a track from its detections and from the boxes that were carried from them."""

    def __init__(self, scenes: Scenes, settings: SmoothingInFrames, looks: Looks, frame_count: int) -> None:
        self._scenes, self._settings, self._frame_count = scenes, settings, frame_count
        self._paths = PathsByLook(looks.paths)

    def smooth(self, frames: FrameIndices, boxes: Boxes) -> TrackPath:
        """Return the path of a track with these detections."""
        if self._frame_count == 1:
            return path_without_smoothing(frames, boxes)
        # No track crosses a cut, so any of its frames tells the scene.
        scene = self._scenes.find_scene(int(frames[0]))
        return smooth_track(frames, boxes, scene, self._settings, self._find_carried_boxes(frames, boxes, scene))

    def _find_carried_boxes(self, frames: FrameIndices, boxes: Boxes, scene: tuple[int, int]) -> CarriedBoxes | None:
        if not self._paths.longest:
            return None
        carried_frames, carried_boxes = array("q"), array("d")
        for index, box in place_track(frames, boxes, self._paths, self._settings.gap):
            if scene[0] <= index < scene[1]:
                carried_frames.append(index)
                carried_boxes.extend((box.left, box.top, box.right, box.bottom))
        return CarriedBoxes(
            np.array(carried_frames, dtype=np.int64), np.array(carried_boxes, dtype=np.float64).reshape(-1, 4)
        )


def _count_looks(looks: Looks, frame_count: int) -> Sequence[int]:
    """Return for every frame the number of looks before it."""
    if looks.looked is None:
        return range(frame_count)
    return array("q", accumulate(looks.looked[:-1], initial=0))


def _select_detections(track: TrackDetections, settings: TrackingInFrames, look_positions: Sequence[int]) -> range:
    """Return the positions of the detections of a track that count as a face."""
    # In a single picture no frame before or after can confirm a face, so a confident detection is enough there.
    by_look = zip(map(look_positions.__getitem__, track.frames), track.support, strict=True)
    if len(look_positions) > 1 and not is_face(by_look, settings):
        return range(0)
    return find_held_detections(track.frames, track.support, settings.hold)


def _round_to_grid(detections: Iterable[Detection], size: Size) -> Iterator[Detection]:
    for one in detections:
        # Rounded before anything is computed from it, so that the faces of a record follow from the evidence that it
        # states.
        if box := one.box.round_outwards(size):
            yield Detection(one.detector, box, round(one.score, 4))
