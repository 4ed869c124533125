"""Carrying of faces by template matching from the frames that were looked at into the frames between.

A face is carried from each look forwards and backwards in time, frame by frame, until it is lost, meets a detection, or
has been carried for the longest time. The template stays that of the look, so that errors do not add up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from engine.core.geometry import Box, Size
from engine.detection.face_template import FaceTemplate
from engine.detection.frame_detections import FrameDetections
from engine.detection.look_schedule import Grey
from engine.record import FusionSettings, ScheduleSettings
from engine.timeline.box_arrays import Boxes, boxes_to_array, measure_overlaps
from engine.timeline.carried import CarriedPath
from engine.timeline.track_confirmation import find_supported_faces

_MIN_SUPPORT = 0.25
"""Support (see `engine.timeline.track_confirmation`) from which a detection is carried: noise far below is not."""
_MEETING_IOU = 0.3
"""IoU from which a carried face meets a detection of the frame that it has reached."""
_MAX_SPEED_SHARE = 0.6
"""Greatest motion from frame to frame, in face sizes, by which the next place is predicted."""


class CarryContext(NamedTuple):
    """What carrying needs to know of its run.

    Attributes:
        display: display size of the video.
        schedule: how long, and how alike.
        frame_s: usual duration of a frame in seconds.
        fusion: settings that join detections into faces, as in the timeline.
        confident_scores: confident score by detector.
    """

    display: Size
    schedule: ScheduleSettings
    frame_s: float
    fusion: FusionSettings
    confident_scores: Mapping[str, float]

    @property
    def max_frames(self) -> int:
        """Number of frames over which a face is carried at most."""
        return round(self.schedule.carry_s / self.frame_s)


class CarryInput(NamedTuple):
    """One frame as it comes to the carrier, in order.

    Attributes:
        frame: frame index.
        grey: its grey picture.
        is_last: True for the last frame of the video.
    """

    frame: int
    grey: Grey
    is_last: bool


class Carrier:
    """Takes frames with their detections in order, and returns the paths that end with each."""

    def __init__(self, context: CarryContext) -> None:
        self._context = context
        # Frames before the current one, newest last, for carrying backwards.
        self._recent: deque[tuple[Grey, Boxes]] = deque(maxlen=context.max_frames)
        self._active: list[_Walk] = []

    def take(self, given: CarryInput, detections: FrameDetections) -> tuple[CarriedPath, ...]:
        """Take the next frame.

        Args:
            given: the frame.
            detections: what was detected in it; a frame without an answer of any detector was not looked at.

        Returns:
            Paths whose last frame is this one or lies before it, sorted.
        """
        faces = self._faces_to_carry(detections)
        known = boxes_to_array(faces)
        ended = self._advance(given.grey, known)
        looked = bool(detections.by_detector)
        if looked:
            started = [walk for face in faces if (walk := self._start(given, face, 1)) is not None]
            ended += [path for face in faces if (path := self._carry_backwards(given, face)) is not None]
            self._active += started
        if given.is_last:
            ended += [walk.path() for walk in self._active]
            self._active = []
        self._recent.append((given.grey, known))
        return tuple(sorted((path for path in ended if path.boxes), key=_path_sort_key))

    def _faces_to_carry(self, detections: FrameDetections) -> list[Box]:
        scores, size = self._context.confident_scores, self._context.display
        seen = [
            one for one in detections if (box := one.box.clip(size)) is not None and min(box.width, box.height) >= 1
        ]
        return find_supported_faces(seen, self._context.fusion, scores, _MIN_SUPPORT)

    def _advance(self, grey: Grey, faces: Boxes) -> list[CarriedPath]:
        """Carry the active faces into a frame; return the paths that ended."""
        ended, alive = [], []
        for walk in self._active:
            if walk.step_into(grey, faces, self._context):
                alive.append(walk)
            else:
                ended.append(walk.path())
        self._active = alive
        return ended

    def _carry_backwards(self, given: CarryInput, face: Box) -> CarriedPath | None:
        walk = self._start(given, face, -1)
        if walk is None:
            return None
        for grey, faces in reversed(self._recent):
            if not walk.step_into(grey, faces, self._context):
                break
        return walk.path()

    def _start(self, given: CarryInput, face: Box, step: int) -> _Walk | None:
        template = FaceTemplate.cut(given.grey, face, self._context.display)
        return None if template is None else _Walk(given.frame, face, step, template, face.centre)


@dataclass(slots=True)
class _Walk:
    """A face on its way from one look, frame by frame in one direction."""

    look: int
    source: Box
    step: int
    template: FaceTemplate
    centre: tuple[float, float]
    motion: tuple[float, float] = (0.0, 0.0)
    boxes: list[Box] = field(default_factory=list)

    def step_into(self, grey: Grey, faces: Boxes, context: CarryContext) -> bool:
        """Carry the face into the next frame; return False if its way has ended before that frame.

        Args:
            grey: the frame.
            faces: its detected faces.
            context: how far, and how alike.
        """
        if len(self.boxes) >= context.max_frames:
            return False
        expected = self.centre[0] + self.motion[0], self.centre[1] + self.motion[1]
        match = self.template.find(grey, expected, context.display, context.schedule.correlation)
        if match is None:
            return False
        found = match.centre
        limit = _MAX_SPEED_SHARE * max(self.source.width, self.source.height)
        self.motion = tuple(np.clip((found[0] - self.centre[0], found[1] - self.centre[1]), -limit, limit).tolist())
        self.centre = found
        shift = found[0] - self.source.centre[0], found[1] - self.source.centre[1]
        box = Box(*np.add((self.source.left, self.source.top, self.source.right, self.source.bottom), shift * 2))
        # A face that has left the picture is no longer there to be covered. One that meets a detection is known better.
        inside = box.round_outwards(context.display)
        if inside is None or _meets_any(inside, faces):
            return False
        self.boxes.append(inside)
        return True

    def path(self) -> CarriedPath:
        """Return the way so far."""
        return CarriedPath(self.look, self.source, self.step, tuple(self.boxes))


def _meets_any(box: Box, faces: Boxes) -> bool:
    # Most frames were not looked at, and have none.
    return bool(len(faces)) and bool((measure_overlaps(boxes_to_array([box]), faces) >= _MEETING_IOU).any())


def _path_sort_key(path: CarriedPath) -> tuple[int, int, float, float, float, float]:
    return path.look, path.step, path.source.left, path.source.top, path.source.right, path.source.bottom
