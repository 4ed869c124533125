"""Following of one face from frame to frame in one direction, by template matching on grey pictures.

It uses the template matching with which detection carries faces between looks. There a face is carried for a fraction
of a second with the template of its look. Here it is followed for as long as it can be, so the template is renewed as
the face turns, and its size may change. A renewed template is only trusted if it finds the place in the frame before
where the face was known to be (the forward-backward error of Kalal, Mikolajczyk and Matas, 2010); otherwise it would
drift onto what is behind the face.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from engine.core.geometry import Box, Size
from engine.detection.face_template import FaceTemplate, TemplateMatch
from engine.detection.look_schedule import Grey
from engine.record import Document

EndCause = Literal["cut", "video", "lost", "left", "masked"]
"""Why a path ends: a scene cut, the end of the video, the face was lost, left the picture, or a mask already covers it.
"""

_MIN_CORRELATION = 0.6
"""Least correlation with a template. Higher than between two looks: a path is followed much longer, unchecked."""
_RENEWAL_CORRELATION = 0.92
"""Correlation below which the template is renewed: the face has turned, or the light has changed."""
_FIRST_CORRELATION = 0.75
"""Correlation from which the template that a person drew is preferred: it has no drift."""
_SCALES = (0.95, 1.05)
"""Sizes that are tried, times the present one."""
_SCALE_GAIN = 0.03
"""Gain in correlation that another size needs: without it, noise would make the box breathe."""
_MAX_BACK_ERROR = 0.07
"""Greatest forward-backward error of a renewed template, in face sizes."""
_MAX_SPEED_SHARE = 0.6
"""Greatest motion from frame to frame, in face sizes, by which the next place is predicted."""
_MASKED_IOU = 0.5
"""IoU from which a mask that is already there covers the face."""
_MIN_SIDE_PX = 8.0
"""Side of a box in display pixels below which a place has too few pixels to be recognised."""
_BORDER_SHARE = 0.1
"""Share of its size by which a face that was lost may be off the border and still count as having left."""
_MIN_INSIDE_SHARE = 0.4
"""Share of the box that must be inside of the picture."""


class PathEnd(Document, frozen=True):
    """Why a face is followed no further in one direction.

    Attributes:
        cause: the cause.
        track: the track whose mask covers the face; None for the other causes.
    """

    cause: EndCause
    track: int | None = None


class PathInput(NamedTuple):
    """A frame that a face may be followed into.

    Attributes:
        frame: its index.
        grey: its grey picture.
        masks: the boxes that are masked in it, by track.
    """

    frame: int
    grey: Grey
    masks: Mapping[int, Box]


class FacePath(NamedTuple):
    """Where a face was found in one direction.

    Attributes:
        boxes: its boxes by frame, in the order in which it was followed, inside the picture. Frames in which it was
            hidden for a moment are missing.
        end: why it ends; None: there were no more frames.
    """

    boxes: dict[int, Box]
    end: PathEnd | None


@dataclass(frozen=True, slots=True)
class PathSettings:
    """What following needs to know of the video.

    Attributes:
        display: display size.
        max_hidden_frames: number of frames in a row in which the face may be hidden without being lost.
    """

    display: Size
    max_hidden_frames: int


def follow_path(start: Box, first: Grey, frames: Iterable[PathInput], settings: PathSettings) -> FacePath:
    """Follow a face through frames, in the order in which they are given.

    Args:
        start: box of the face in the first picture.
        first: grey picture of the frame in which it was drawn.
        frames: the frames after it, or before it in falling order.
        settings: what to know of the video.
    """
    template = FaceTemplate.cut(first, start, settings.display)
    if template is None:
        return FacePath({}, PathEnd("lost"))
    walk = _Walk(settings, template, start, first)
    boxes: dict[int, Box] = {}
    for given in frames:
        found = walk.step_into(given)
        if isinstance(found, PathEnd):
            return FacePath(boxes, found)
        if found is not None:
            boxes[given.frame] = found
    return FacePath(boxes, walk.explain_loss() if walk.is_hidden else None)


class _Walk:
    """A face on its way through the frames."""

    def __init__(self, settings: PathSettings, template: FaceTemplate, start: Box, grey: Grey) -> None:
        self._settings = settings
        # The template that a person drew, and the newest one, both at the present size of the face.
        self._first = self._newest = template
        self._box, self._grey = start, grey
        self._motion = (0.0, 0.0)
        self._hidden_count = 0

    def step_into(self, given: PathInput) -> Box | PathEnd | None:
        """Find the face in the next frame; return its box, why the path ends, or None if it is hidden."""
        found = self._find(given.grey)
        if found is None:
            self._hidden_count += 1
            return self.explain_loss() if self._hidden_count > self._settings.max_hidden_frames else None
        match, factor = found
        box = _move(self._box.scale(factor), match.centre)
        inside = box.round_outwards(self._settings.display)
        if inside is None or inside.area < _MIN_INSIDE_SHARE * box.area or min(box.width, box.height) < _MIN_SIDE_PX:
            return PathEnd("left")
        for track, mask in given.masks.items():
            if inside.iou(mask) >= _MASKED_IOU:
                return PathEnd("masked", track)
        self._advance(given.grey, box, match, factor)
        return inside

    @property
    def is_hidden(self) -> bool:
        """Return whether the face was not found in the newest frame."""
        return self._hidden_count > 0

    def explain_loss(self) -> PathEnd:
        """Return why the face is not found any more: at the border of the picture, it has left."""
        box, display = self._box, self._settings.display
        at_border = not box.scale(1 + _BORDER_SHARE).is_within(display)
        return PathEnd("left" if at_border else "lost")

    def _find(self, grey: Grey) -> tuple[TemplateMatch, float] | None:
        """Find the face and the factor by which its size has changed."""
        centre, display = self._box.centre, self._settings.display
        expected = centre[0] + self._motion[0], centre[1] + self._motion[1]
        for template, least in ((self._first, _FIRST_CORRELATION), (self._newest, _MIN_CORRELATION)):
            best, factor = template.find(grey, expected, display, least), 1.0
            for other in _SCALES:
                match = template.resize(other).find(grey, expected, display, least)
                if match is not None and (best is None or match.correlation > best.correlation + _SCALE_GAIN):
                    best, factor = match, other
            if best is not None:
                return best, factor
        return None

    def _advance(self, grey: Grey, box: Box, match: TemplateMatch, factor: float) -> None:
        before = self._box
        limit = _MAX_SPEED_SHARE * max(box.width, box.height)
        # After frames in which the face was hidden, the distance says nothing about the motion in one frame.
        motion = np.subtract(box.centre, before.centre) / (1 + self._hidden_count)
        across, down = np.clip(motion, -limit, limit)
        self._motion = float(across), float(down)
        self._first, self._newest = self._first.resize(factor), self._newest.resize(factor)
        if match.correlation < _RENEWAL_CORRELATION and self._hidden_count == 0:
            self._renew(grey, box, before)
        self._box, self._grey, self._hidden_count = box, grey, 0

    def _renew(self, grey: Grey, box: Box, before: Box) -> None:
        """Take a new template from this frame, if it finds the face in the frame before where it was."""
        template = FaceTemplate.cut(grey, box, self._settings.display)
        if template is None:
            return
        back = template.find(self._grey, before.centre, self._settings.display, _MIN_CORRELATION)
        if back is None:
            return
        error = float(np.hypot(*np.subtract(back.centre, before.centre)))
        if error <= _MAX_BACK_ERROR * max(box.width, box.height):
            self._newest = template


def _move(box: Box, centre: tuple[float, float]) -> Box:
    half_width, half_height = box.width / 2, box.height / 2
    return Box(centre[0] - half_width, centre[1] - half_height, centre[0] + half_width, centre[1] + half_height)
