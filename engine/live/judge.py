"""Whether a frame may be shown. Does no I/O, knows no clock and no thread.

A frame is judged when every detector that looks at each frame has answered for this very frame, and each of the others
has answered for a picture of the same scene that is not too old. What is not judged is covered whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.detectors.base import Sighting
from engine.live.settings import Following, Judging
from engine.live.tracker import Followed, Tracks

Reason = Literal["asked", "damaged", "lost", "unanswered", "start", "source", "cut", "stale"]
"""Why a frame is covered whole: somebody asked for it; it was not decoded whole; a detector's process is gone; no
answer came by the deadline; the run began, the source was interrupted or changed, or the scene did, and a detector has
not yet looked at what is new; a detector has not looked for too long."""
Beginning = Literal["start", "source", "cut"]

_REMEMBERED = 512
"""Frames whose time is known, for answers that come late."""


class Verdict(NamedTuple):
    """What is to be done to a frame: cover it whole for a reason, or hide these faces."""

    reason: Reason | None
    faces: tuple[Followed, ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    time: float
    scene: int


class Judge:
    """Takes in frames and answers, gives verdicts in the order of the frames.

    Args:
        every: by detector, whether it looks at every frame.
        judging: when a frame counts as judged.
        following: how faces are followed.
    """

    def __init__(self, every: Mapping[str, bool], judging: Judging, following: Following) -> None:
        self._every, self._judging = dict(every), judging
        self._tracks = Tracks(following)
        self._frames: dict[int, _Frame] = {}
        self._beginnings: list[Beginning] = []
        self._scene = -1
        self._answers: dict[str, dict[int, Sequence[Sighting]]] = {name: {} for name in every}
        self._newest: dict[str, int | None] = dict.fromkeys(every)
        self._lost: set[str] = set()

    def arrived(self, number: int, time: float, beginning: Beginning | None) -> None:
        """A frame has come, which begins something new unless `beginning` is None."""
        if beginning is not None or not self._beginnings:
            self._beginnings.append(beginning or "start")
        self._frames[number] = _Frame(time, len(self._beginnings) - 1)
        self._frames.pop(number - _REMEMBERED, None)

    def answered(self, detector: str, number: int, sightings: Sequence[Sighting]) -> None:
        """A detector has looked at a frame."""
        self._lost.discard(detector)
        if number in self._frames:
            self._answers[detector][number] = sightings
            self._newest[detector] = max(number, self._newest[detector] or 0)

    def failed(self, detector: str) -> None:
        """A detector is gone; what it said no longer counts."""
        self._lost.add(detector)
        self._newest[detector] = None

    def settled(self, number: int) -> bool:
        """Whether waiting longer cannot bring more of what a verdict needs."""
        return all(
            detector in self._lost or number in self._answers[detector]
            for detector, every in self._every.items()
            if every
        )

    def verdict(self, number: int, confidence: float) -> Verdict:
        """The verdict on a frame; to be asked for once a frame, in order.

        Args:
            number: the frame's.
            confidence: least score with which a face begins to be followed.
        """
        frame = self._frames[number]
        if frame.scene != self._scene:
            self._tracks.forget()
            self._scene = frame.scene
        reason = self._reason(number, frame)
        self._follow(number, confidence)
        return Verdict(reason, tuple(self._tracks.faces(frame.time)))

    def _reason(self, number: int, frame: _Frame) -> Reason | None:
        if self._lost:
            return "lost"
        for detector, every in self._every.items():
            if every and number not in self._answers[detector]:
                return "unanswered"
        for detector, every in self._every.items():
            newest = self._newest[detector]
            if every:
                continue
            looked = None if newest is None else self._frames.get(newest)
            if looked is None or looked.scene < frame.scene:
                return self._beginnings[frame.scene]
            if looked.scene == frame.scene and frame.time - looked.time > self._judging.age:
                return "stale"
        return None

    def _follow(self, number: int, confidence: float) -> None:
        """Let the tracks have what has come and belongs to this scene; later frames' own answers wait for them."""
        for detector, answers in self._answers.items():
            last = number if self._every[detector] else max(answers, default=number)
            for answered in sorted(answers):
                frame = self._frames.get(answered)
                if answered > last or (frame is not None and frame.scene > self._scene):
                    break
                sightings = answers.pop(answered)
                if frame is not None and frame.scene == self._scene:
                    self._tracks.see(detector, frame.time, sightings, confidence)
