"""The rule that decides whether a frame may be shown. Pure: no I/O, no clock, no threads.

A frame is judged when every detector that looks at each frame has answered for this very frame, and each of the other
detectors has answered for a picture of the same scene that is not too old. A frame that is not judged is covered whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.live.settings import FollowingSettings, JudgingSettings
from engine.live.tracker import FollowedFace, Tracker
from engine.record import Detection

CoverReason = Literal["asked", "damaged", "lost", "unanswered", "start", "source", "cut", "stale"]
"""Why a frame is covered whole:

- `asked`: a person covers everything;
- `damaged`: the decoder could not restore the frame;
- `lost`: the process of a detector is gone;
- `unanswered`: no answer came by the deadline;
- `start`, `source`, `cut`: the run began, the source was interrupted or changed, or a scene began, and a detector has
  not yet answered for a picture since then;
- `stale`: the newest answer of a detector is too old.
"""
Discontinuity = Literal["start", "source", "cut"]
"""Kind of a new beginning at a frame; answers for earlier frames say nothing about the frames after it."""

_HISTORY_FRAMES = 512
"""Number of frames whose time is kept for answers that come late. It bounds the memory of a run that lasts for days; an
answer that comes later than 20 seconds at 25 frames/s is ignored."""


class FrameVerdict(NamedTuple):
    """The verdict on a frame: cover it whole for `reason`, or, if that is None, hide `faces`."""

    reason: CoverReason | None
    faces: tuple[FollowedFace, ...]


@dataclass(frozen=True, slots=True)
class _ArrivedFrame:
    time_s: float
    scene: int


class Judge:
    """Takes in frames and answers, and gives verdicts in the order of the frames.

    Args:
        every_frame: by detector name, whether it looks at every frame.
        judging: when a frame counts as judged.
        following: how faces are followed.
    """

    def __init__(self, every_frame: Mapping[str, bool], judging: JudgingSettings, following: FollowingSettings) -> None:
        self._every_frame, self._judging = dict(every_frame), judging
        self._tracker = Tracker(following)
        self._frames: dict[int, _ArrivedFrame] = {}
        self._scene_starts: list[Discontinuity] = []
        self._scene = -1
        self._answers: dict[str, dict[int, Sequence[Detection]]] = {name: {} for name in every_frame}
        self._newest_answers: dict[str, int | None] = dict.fromkeys(every_frame)
        self._lost_detectors: set[str] = set()

    def add_frame(self, number: int, time_s: float, discontinuity: Discontinuity | None) -> None:
        """Add the next frame; a discontinuity begins a new scene."""
        if discontinuity is not None or not self._scene_starts:
            self._scene_starts.append(discontinuity or "start")
        self._frames[number] = _ArrivedFrame(time_s, len(self._scene_starts) - 1)
        self._frames.pop(number - _HISTORY_FRAMES, None)

    def add_answer(self, detector: str, number: int, detections: Sequence[Detection]) -> None:
        """Add what a detector found in a frame; the detector is no longer lost."""
        self._lost_detectors.discard(detector)
        if number in self._frames:
            self._answers[detector][number] = detections
            self._newest_answers[detector] = max(number, self._newest_answers[detector] or 0)

    def mark_failed(self, detector: str) -> None:
        """Mark a detector as lost until its next answer."""
        self._lost_detectors.add(detector)
        # Its answers remain for the tracker, which can only add masks, but no frame is judged by them: between the last
        # answer and the failure the detector may already have been silent for a while.
        self._newest_answers[detector] = None

    def has_all_answers(self, number: int) -> bool:
        """Return whether waiting longer cannot bring more of what the verdict on a frame needs."""
        return all(
            detector in self._lost_detectors or number in self._answers[detector]
            for detector, every in self._every_frame.items()
            if every
        )

    def has_caught_up(self, number: int) -> bool:
        """Return whether the newest answer of every detector is for this frame or a later one."""
        return all(newest is not None and newest >= number for newest in self._newest_answers.values())

    def judge_frame(self, number: int, confidence: float) -> FrameVerdict:
        """Return the verdict on a frame; call it once for each frame, in order.

        Args:
            number: the frame's number.
            confidence: least score with which a face begins to be followed.
        """
        frame = self._frames[number]
        if frame.scene != self._scene:
            # A track never crosses a cut: its position and speed mean nothing in the new scene.
            self._tracker.clear()
            self._scene = frame.scene
        # The reason comes first: updating the tracks removes the answers that the reason is read from.
        reason = self.find_cover_reason(number)
        self._update_tracks(number, confidence)
        return FrameVerdict(reason, tuple(self._tracker.locate_faces(frame.time_s)))

    def find_cover_reason(self, number: int) -> CoverReason | None:
        """Return why a frame would be covered whole by the answers so far; None if it is judged."""
        frame = self._frames[number]
        # The order decides only which reason is counted and logged; any one of them covers the frame.
        if self._lost_detectors:
            return "lost"
        for detector, every in self._every_frame.items():
            if every and number not in self._answers[detector]:
                return "unanswered"
        for detector, every in self._every_frame.items():
            if every:
                continue
            newest = self._newest_answers[detector]
            answered_frame = None if newest is None else self._frames.get(newest)
            if answered_frame is None or answered_frame.scene < frame.scene:
                return self._scene_starts[frame.scene]
            # An answer for a later scene can only be newer than this frame, so its age needs no check. Age is measured
            # between the pictures' own times: a pause of the source does not make an answer old.
            if answered_frame.scene == frame.scene and frame.time_s - answered_frame.time_s > self._judging.age:
                return "stale"
        return None

    def _update_tracks(self, number: int, confidence: float) -> None:
        """Move the answers that belong to this scene into the tracks, oldest first.

        A detector that looks at every frame may already have answered for later frames. Those answers wait for their
        frames: a face must be recorded as detected in the frame it was found in. An answer of a detector that runs
        beside is used at once, also for a later frame, because the tracker predicts backwards too and every bit of
        delay counts.
        """
        for detector, answers in self._answers.items():
            last = number if self._every_frame[detector] else max(answers, default=number)
            for answered in sorted(answers):
                frame = self._frames.get(answered)
                if answered > last or (frame is not None and frame.scene > self._scene):
                    break
                detections = answers.pop(answered)
                if frame is not None and frame.scene == self._scene:
                    self._tracker.add_detections(detector, frame.time_s, detections, confidence)
