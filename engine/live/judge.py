"""Whether a frame may be shown. Does no I/O, knows no clock and no thread.

A frame is judged when every detector that looks at each frame has answered for this very frame, and each of the others
has answered for a picture of the same scene that is not too old. What is not judged is covered whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.live.settings import FollowingSettings, JudgingSettings
from engine.live.tracker import FollowedFace, Tracker
from engine.record import Detection

CoverReason = Literal["asked", "damaged", "lost", "unanswered", "start", "source", "cut", "stale"]
"""Why a frame is covered whole: somebody asked for it; it was not decoded whole; a detector's process is gone; no
answer came by the deadline; the run began, the source was interrupted or changed, or the scene did, and a detector has
not yet looked at what is new; a detector has not looked for too long."""
Discontinuity = Literal["start", "source", "cut"]

_HISTORY_FRAMES = 512
"""Frames whose time is known, for answers that come late."""


class FrameVerdict(NamedTuple):
    """What is to be done to a frame: cover it whole for a reason, or hide these faces."""

    reason: CoverReason | None
    faces: tuple[FollowedFace, ...]


@dataclass(frozen=True, slots=True)
class _ArrivedFrame:
    time_s: float
    scene: int


class Judge:
    """Takes in frames and answers, gives verdicts in the order of the frames.

    Args:
        every: by detector, whether it looks at every frame.
        judging: when a frame counts as judged.
        following: how faces are followed.
    """

    def __init__(self, every_frame: Mapping[str, bool], judging: JudgingSettings, following: FollowingSettings) -> None:
        self._every_frame, self._judging = dict(every_frame), judging
        self._tracks = Tracker(following)
        self._frames: dict[int, _ArrivedFrame] = {}
        self._scene_starts: list[Discontinuity] = []
        self._scene = -1
        self._answers: dict[str, dict[int, Sequence[Detection]]] = {name: {} for name in every_frame}
        self._newest_answers: dict[str, int | None] = dict.fromkeys(every_frame)
        self._lost_detectors: set[str] = set()

    def add_frame(self, number: int, time_s: float, discontinuity: Discontinuity | None) -> None:
        """A frame has come, which begins something new unless `discontinuity` is None."""
        if discontinuity is not None or not self._scene_starts:
            self._scene_starts.append(discontinuity or "start")
        self._frames[number] = _ArrivedFrame(time_s, len(self._scene_starts) - 1)
        self._frames.pop(number - _HISTORY_FRAMES, None)

    def add_answer(self, detector: str, number: int, detections: Sequence[Detection]) -> None:
        """A detector has looked at a frame."""
        self._lost_detectors.discard(detector)
        if number in self._frames:
            self._answers[detector][number] = detections
            self._newest_answers[detector] = max(number, self._newest_answers[detector] or 0)

    def mark_failed(self, detector: str) -> None:
        """A detector is gone; what it said no longer counts."""
        self._lost_detectors.add(detector)
        self._newest_answers[detector] = None

    def has_all_answers(self, number: int) -> bool:
        """Whether waiting longer cannot bring more of what a verdict needs."""
        return all(
            detector in self._lost_detectors or number in self._answers[detector]
            for detector, every in self._every_frame.items()
            if every
        )

    def judge_frame(self, number: int, confidence: float) -> FrameVerdict:
        """The verdict on a frame; to be asked for once a frame, in order.

        Args:
            number: the frame's.
            confidence: least score with which a face begins to be followed.
        """
        frame = self._frames[number]
        if frame.scene != self._scene:
            self._tracks.clear()
            self._scene = frame.scene
        reason = self._find_cover_reason(number, frame)
        self._update_tracks(number, confidence)
        return FrameVerdict(reason, tuple(self._tracks.locate_faces(frame.time_s)))

    def _find_cover_reason(self, number: int, frame: _ArrivedFrame) -> CoverReason | None:
        if self._lost_detectors:
            return "lost"
        for detector, every in self._every_frame.items():
            if every and number not in self._answers[detector]:
                return "unanswered"
        for detector, every in self._every_frame.items():
            newest = self._newest_answers[detector]
            if every:
                continue
            looked = None if newest is None else self._frames.get(newest)
            if looked is None or looked.scene < frame.scene:
                return self._scene_starts[frame.scene]
            if looked.scene == frame.scene and frame.time_s - looked.time_s > self._judging.age:
                return "stale"
        return None

    def _update_tracks(self, number: int, confidence: float) -> None:
        """Let the tracks have what has come and belongs to this scene; later frames' own answers wait for them."""
        for detector, answers in self._answers.items():
            last = number if self._every_frame[detector] else max(answers, default=number)
            for answered in sorted(answers):
                frame = self._frames.get(answered)
                if answered > last or (frame is not None and frame.scene > self._scene):
                    break
                sightings = answers.pop(answered)
                if frame is not None and frame.scene == self._scene:
                    self._tracks.add_detections(detector, frame.time_s, sightings, confidence)
