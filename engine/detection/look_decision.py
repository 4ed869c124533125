"""The second part of the choice of frames to look at: what appears inside a face that is known needs no look.

A speaking mouth changes as much as a face that comes into view. Where every change of a frame lies inside a face that
both the look before and the look after have found, the frame is covered there in any case, and is not looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.core.geometry import Box, Size
from engine.detection.look_schedule import ScheduledFrame
from engine.record import Detection, FusionSettings
from engine.timeline.track_confirmation import find_supported_faces

_SURROUNDINGS = 0.1
"""Share of a face's sides around it that its mask covers at least, so that a change there is inside the face."""


class DecisionContext(NamedTuple):
    """What deciding needs to know of its run.

    Attributes:
        display: display size of the video.
        fusion: settings that join detections into faces, as in the timeline.
        confident_scores: confident score by detector.
        sure_support: support (see `engine.timeline.track_confirmation`) with which a face counts without other looks.
        max_distance: greatest distance in frames to a look that decides; without one, a changed frame is looked at.
    """

    display: Size
    fusion: FusionSettings
    confident_scores: Mapping[str, float]
    sure_support: float
    max_distance: int


class UnknownChange(NamedTuple):
    """Changes of a frame that no known face explains.

    Attributes:
        places: where, as shares of the picture's sides.
        before: sure faces of the look before.
        after: sure faces of the look after.
    """

    places: tuple[Box, ...]
    before: Sequence[Box]
    after: Sequence[Box]


class Decision(NamedTuple):
    """Whether a frame with a change is looked at.

    Attributes:
        frame: its index.
        looked: True if it is.
        unknown: what speaks for it. None: no look is near enough to tell.
    """

    frame: int
    looked: bool
    unknown: UnknownChange | None = None


@dataclass(slots=True)
class _SureLook:
    """A frame that is looked at in any case, with the changed frames between the look before and it."""

    frame: int
    changed: list[ScheduledFrame] = field(default_factory=list)
    faces: list[Box] | None = None


class LookDecider:
    """Takes scheduled frames in order and the answers to sure looks in any order, and decides about the others."""

    def __init__(self, context: DecisionContext) -> None:
        self._context = context
        self._before: _SureLook | None = None
        self._undecided: list[ScheduledFrame] = []
        self._waiting: deque[_SureLook] = deque()
        self._by_frame: dict[int, _SureLook] = {}

    def add(self, scheduled: ScheduledFrame) -> None:
        """Take the next frame, before its answer."""
        if scheduled.looked:
            look = _SureLook(scheduled.frame.index, self._undecided)
            self._undecided = []
            self._waiting.append(look)
            self._by_frame[look.frame] = look
        elif scheduled.changes:
            self._undecided.append(scheduled)

    def answer(self, frame: int, detections: Iterable[Detection]) -> None:
        """Take what was found in a frame that is looked at in any case; other frames are ignored."""
        if (look := self._by_frame.pop(frame, None)) is not None:
            look.faces = self._find_sure_faces(detections)

    def decide(self) -> Iterator[Decision]:
        """Yield the decisions that can be made by now, in order."""
        while self._waiting and (after := self._waiting[0]).faces is not None:
            self._waiting.popleft()
            for one in after.changed:
                yield self._decide(one, self._before, after)
            self._before = after

    def close(self) -> Iterator[Decision]:
        """Yield the decisions about the frames after the last sure look, which no look after them can decide."""
        undecided, self._undecided = self._undecided, []
        yield from (Decision(one.frame.index, looked=True) for one in undecided)

    def _find_sure_faces(self, detections: Iterable[Detection]) -> list[Box]:
        context = self._context
        seen = [one for one in detections if one.box.clip(context.display) is not None]
        return find_supported_faces(seen, context.fusion, context.confident_scores, context.sure_support)

    def _decide(self, scheduled: ScheduledFrame, before: _SureLook | None, after: _SureLook) -> Decision:
        index = scheduled.frame.index
        # Bounded, so that a range of the video needs to know only the looks in the frames right before and after it.
        if before is None or max(index - before.frame, after.frame - index) > self._context.max_distance:
            return Decision(index, looked=True)
        known = before.faces or (), after.faces or ()
        places = tuple(
            change for change in scheduled.changes if not all(self._is_inside(change, faces) for faces in known)
        )
        return Decision(index, bool(places), UnknownChange(places, *known) if places else None)

    def _is_inside(self, change: Box, faces: Sequence[Box]) -> bool:
        place = change.scale_axes(self._context.display.width, self._context.display.height)
        covered = (face.scale(1 + 2 * _SURROUNDINGS) for face in faces)
        return any(mask.hull(place) == mask for mask in covered)
