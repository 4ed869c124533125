"""Tracks as arrays: a Python object for each detection of a long video would take ten times the memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Size
from engine.core.packed_sequence import PackedSequence
from engine.record import Face, TrackingInFrames
from engine.record.support import compute_support
from engine.timeline.box_arrays import Boxes
from engine.timeline.fuse import FusedFace
from engine.timeline.smooth import ORIGINS, FrameIndices, TrackPath
from engine.timeline.track import assign_tracks

_NO_EVIDENCE = -1


class TrackDetections:
    """The detections of one track, in order.

    Attributes:
        frames: their frames.
        places: the position of each among the fused faces of its frame.
        support: the support of each.
    """

    __slots__ = ("_boxes", "frames", "places", "support")

    def __init__(self) -> None:
        self.frames, self.places, self.support, self._boxes = array("q"), array("q"), array("d"), array("d")

    def append(self, frame: int, place: int, box: Box, support: float) -> None:
        """Append a detection."""
        self.frames.append(frame)
        self.places.append(place)
        self.support.append(support)
        self._boxes.extend((box.left, box.top, box.right, box.bottom))

    def select(self, kept: range) -> tuple[FrameIndices, Boxes]:
        """Return the frames and the boxes of successive detections."""
        part = slice(kept.start, kept.stop)
        frames, boxes = np.frombuffer(self.frames, np.int64), np.frombuffer(self._boxes, np.float64)
        return frames[part], boxes.reshape(-1, 4)[part]


def collect_tracks(
    fused: PackedSequence[Sequence[FusedFace]],
    cuts: tuple[int, ...],
    settings: TrackingInFrames,
    confident_scores: Mapping[str, float],
) -> list[TrackDetections]:
    """Return the detections of each track, in order of appearance."""
    tracks: list[TrackDetections] = []
    for index, (faces, numbers) in enumerate(
        zip(fused, assign_tracks(fused, cuts, settings, confident_scores), strict=True)
    ):
        for place, (face, number) in enumerate(zip(faces, numbers, strict=True)):
            if number == len(tracks):
                tracks.append(TrackDetections())
            tracks[number].append(index, place, face.box, compute_support(face.evidence, confident_scores))
    return tracks


def take_tracks(tracks: list[TrackDetections]) -> Iterator[TrackDetections]:
    """Take tracks off a list in order, so that none of them takes memory longer than it is needed."""
    tracks.reverse()
    while tracks:
        yield tracks.pop()


class FaceTable:
    """The faces of all tracks, added track by track and read frame by frame."""

    def __init__(self) -> None:
        self._count = 0
        self._frames, self._tracks, self._places = array("i"), array("i"), array("i")
        self._boxes, self._origins = array("d"), array("b")

    def add_track(self, path: TrackPath, detections: TrackDetections, kept: range) -> None:
        """Add a track.

        Tracks are numbered as they are added: those without a face are left out, so a record's tracks have no gaps.

        Args:
            path: its boxes.
            detections: its detections.
            kept: positions of those that count; the path has their frames.
        """
        evidence = np.full(len(path.frames), _NO_EVIDENCE, dtype=np.int32)
        frames, places = (
            np.frombuffer(column, np.int64)[kept.start : kept.stop] for column in (detections.frames, detections.places)
        )
        evidence[np.searchsorted(path.frames, frames)] = places
        # The bytes of an array are taken from its memory; `tobytes` would copy them first.
        for column, values in (
            (self._frames, path.frames.astype(np.int32)),
            (self._tracks, np.full(len(path.frames), self._count, dtype=np.int32)),
            (self._places, evidence),
            (self._boxes, np.ascontiguousarray(path.boxes)),
            (self._origins, path.origins),
        ):
            column.frombytes(values.data.cast("B"))
        self._count += 1

    def iterate_frames(self, fused: Sequence[Sequence[FusedFace]], size: Size) -> Iterator[tuple[Face, ...]]:
        """Yield the faces of each frame, sorted by track.

        Args:
            fused: the fused faces of each frame, for their evidence.
            size: display size of the frames; what lies outside is left out.
        """
        frames: NDArray[np.int32] = np.array(self._frames, dtype=np.int32)
        # Stable, so that the faces of a frame stay in the order of their tracks.
        order = np.argsort(frames, kind="stable")
        stops = np.searchsorted(frames[order], np.arange(len(fused)), side="right")
        start = 0
        for faces, stop in zip(fused, stops, strict=True):
            rows = order[start:stop].tolist()
            yield tuple(face for row in rows if (face := self._build_face(row, faces, size)) is not None)
            start = stop

    def _build_face(self, row: int, fused: Sequence[FusedFace], size: Size) -> Face | None:
        box = Box(*self._boxes[4 * row : 4 * row + 4]).round_outwards(size)
        if box is None:
            return None
        place = self._places[row]
        evidence = () if place == _NO_EVIDENCE else fused[place].evidence
        return Face(self._tracks[row], box, ORIGINS[self._origins[row]], evidence)
