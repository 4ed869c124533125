"""Frames in, masked frames out: the live engine without a source and an output.

One thread gives frames, the same or another one takes them, in order. A frame that comes out was judged, or is covered
whole; there is no third way out.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from engine.core.closeable import Closeable
from engine.core.geometry import Box, Orientation, Size
from engine.core.picture import Rgb
from engine.detectors.scale import scale_to_display
from engine.errors import DetectorError, InputError, VeilError
from engine.live.controls import LiveControls, LiveControlsState
from engine.live.counters import LiveCounterAccumulator, LiveCounters
from engine.live.detector_thread import DetectorRole, DetectorThread
from engine.live.judge import CoverReason, Discontinuity, FrameVerdict, Judge
from engine.live.settings import FollowingSettings, JudgingSettings
from engine.live.tracker import FollowedFace, compute_covered_share
from engine.masking.painter import cover_picture, redact
from engine.media.frame import SourceFrame
from engine.media.stream.normalise import FrameNormaliser, frame_from_rgb, rgb_from_frame
from engine.record import Detection, TrackingSettings
from engine.timeline.cuts import CutDetector

if TYPE_CHECKING:
    VideoFrame = Any
    """PyAV's; only engine.media imports it."""

_LATE_HISTORY_FRAMES = 128
"""Shown frames that late answers are compared with."""
_MIN_COVERED_SHARE = 0.7
"""Share of a late sighting's box that a mask must hold for the face to count as covered."""


class MaskedFrame(NamedTuple):
    """A frame that may be shown.

    Attributes:
        number: its place in the order of arrival.
        frame: its pictures are final.
        pts: its time as it was given.
        verdict: what was done to it.
        revision: how often the controls had been changed.
        cut: it begins a new scene.
        arrived_s: when it arrived, monotonic seconds.
    """

    number: int
    frame: VideoFrame
    pts: int
    verdict: FrameVerdict
    revision: int
    cut: bool
    arrived_s: float


class LiveLogSink(Protocol):
    """Writes down what a masker does; called with a lock held, from several threads."""

    def write_frame(self, masked: MaskedFrame, size: Size) -> None:
        """A frame is about to be handed out."""

    def write_late_answer(self, number: int, detector: str, detections: Sequence[Detection]) -> None:
        """A detector has answered for a frame that was handed out before."""

    def write_controls(self, revision: int, state: LiveControlsState) -> None:
        """The controls were changed."""

    def write_event(self, description: str) -> None:
        """Something else that an auditor should know, in a sentence."""


@dataclass(frozen=True, slots=True)
class _PendingFrame:
    number: int
    frame: SourceFrame
    submitted_s: float
    arrived_s: float
    cut: bool


class LiveMasker(Closeable):
    """Hides the faces of a running picture.

    A context manager. Making one starts the detectors and returns at once; frames are covered until they have looked.

    Args:
        watches: the detectors; at least one of them looks at every frame.
        models: folder of verified weights.
        judging: when a frame counts as judged.
        following: how faces are followed.
        controls: what can be changed meanwhile.

    Attributes:
        log_sink: writes down what is shown; to be set before the first frame is taken.
    """

    def __init__(
        self,
        detector_roles: Sequence[DetectorRole],
        models: Path,
        *,
        judging: JudgingSettings | None = None,
        following: FollowingSettings | None = None,
        controls: LiveControls | None = None,
    ) -> None:
        if not any(watch.every_frame for watch in detector_roles):
            raise InputError("A live run needs a detector that looks at every frame; name one that is fast enough.")
        self.controls = controls or LiveControls()
        self.normaliser = FrameNormaliser()
        self._judging = judging or JudgingSettings()
        self._judge = Judge(
            {watch.name: watch.every_frame for watch in detector_roles}, self._judging, following or FollowingSettings()
        )
        self.log_sink: LiveLogSink | None = None
        self._counts = LiveCounterAccumulator()
        self._state_changed = threading.Condition()
        self._pending_frames: deque[_PendingFrame] = deque()
        self._shown_boxes: dict[int, tuple[Box, ...] | None] = {}
        self._longest_sides_px = {watch.name: watch.detector.longest_side(watch.settings) for watch in detector_roles}
        self._fatal_error: VeilError | None = None
        self._next_number = 0
        self._logged_revision = -1
        # The defaults of a detection, so that a live run and a detection of its recording find the same cuts.
        self._cut_detector = CutDetector(TrackingSettings())
        self._next_discontinuity: Discontinuity | None = "start"
        self._detector_threads: list[DetectorThread] = []
        for watch in detector_roles:
            self._detector_threads.append(DetectorThread(watch, models, self._judging, self))

    # what a source calls

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait until every detector is loaded.

        Raises:
            DetectorError: it took too long.
            ModelError, InputError: a detector cannot be loaded.
        """
        until = time.monotonic() + timeout_s
        for lookout in self._detector_threads:
            while not lookout.ready.wait(0.05):
                self._raise_fatal_error()
                if time.monotonic() > until:
                    raise DetectorError(f"The detector {lookout.role.name} was not loaded within {timeout_s:g} s.")

    def mark_interrupted(self) -> None:
        """The source was interrupted; what comes next is covered until every detector has looked at it."""
        self._next_discontinuity = "source"

    def submit(
        self,
        decoded: VideoFrame,
        pts: int,
        seconds: Fraction | float,
        *,
        aspect: Fraction = Fraction(1),
        arrived_s: float | None = None,
    ) -> None:
        """Give the next frame; returns as soon as the detectors have it.

        Args:
            decoded: PyAV's frame, given away: it may be the one that comes out.
            pts: its time, handed through.
            seconds: its time in seconds of a clock that rises.
            aspect: sample aspect ratio.
            arrived_s: monotonic time of its arrival, now when None.

        Raises:
            ModelError, InputError: a detector cannot be loaded.
        """
        self._raise_fatal_error()
        entered = time.monotonic()
        number, changes = self._next_number, self.normaliser.format_changes
        self._next_number += 1
        frame = self.normaliser.normalise(decoded, number, pts, aspect)
        beginning, cut = self._detect_discontinuity(frame, changed=self.normaliser.format_changes != changes)
        with self._state_changed:
            self._judge.add_frame(number, float(seconds), beginning)
            self._counts.frames += 1
            self._counts.source_changes = self.normaliser.format_changes
            self._pending_frames.append(_PendingFrame(number, frame, entered, arrived_s or entered, cut))
        self._submit_to_detectors(number, frame)

    @property
    def is_backlogged(self) -> bool:
        """Whether as many frames wait to be taken as may."""
        return len(self._pending_frames) >= self._judging.backlog

    def count_dropped_frame(self) -> None:
        """Count a frame that came and is not shown at all, because too many wait."""
        with self._state_changed:
            self._counts.frames += 1
            self._counts.dropped += 1

    def collect(self) -> MaskedFrame:
        """The next frame, with its faces hidden or covered whole; waits for its judgement until the deadline.

        Raises:
            ModelError, InputError: a detector cannot be loaded.
            IndexError: no frame was given that was not taken.
        """
        pending = self._pending_frames[0]
        with self._state_changed:
            left = pending.submitted_s + self._judging.deadline - time.monotonic()
            self._state_changed.wait_for(lambda: self._can_judge(pending), max(0.0, left))
            self._raise_fatal_error()
            revision, look, style = self.controls.read_state()
            verdict = self._reach_verdict(pending, look)
            self._pending_frames.popleft()
            masked = self._build_masked_frame(pending, verdict, revision)
            self._count_and_log(masked, look)
        picture = pending.frame.picture(writable=True)
        if verdict.reason is not None:
            cover_picture(picture)
        else:
            boxes = [face.box for face in verdict.faces]
            redact(picture, boxes, Orientation.upright(self._size), style)
        return masked

    def count_sent_frame(self, masked: MaskedFrame) -> None:
        """Note that a frame's packet is on its way."""
        with self._state_changed:
            self._counts.add_delay(time.monotonic() - masked.arrived_s)

    def mask(self, frame: VideoFrame) -> VideoFrame:
        """One frame in, the same frame out with its faces hidden or covered whole; for a caller with one thread."""
        seconds = time.monotonic() if frame.time is None else frame.time
        self.submit(frame, frame.pts or 0, seconds)
        masked = self.collect()
        masked.frame.pts = frame.pts
        if frame.time_base is not None:
            masked.frame.time_base = frame.time_base
        self.count_sent_frame(masked)
        return masked.frame

    def mask_picture(self, picture: Rgb) -> Rgb:
        """The same for an RGB picture, shape (height, width, 3); its clock is that of arrival."""
        return rgb_from_frame(self.mask(frame_from_rgb(picture)))

    @property
    def counters(self) -> LiveCounters:
        """What was counted until now."""
        with self._state_changed:
            return self._counts.to_counters()

    def set_source_counts(self, undecodable: int, reconnects: int) -> None:
        """Note what the source counted."""
        with self._state_changed:
            self._counts.undecodable, self._counts.reconnects = undecodable, reconnects

    def close(self) -> None:
        """End the detectors; closing twice is allowed."""
        while self._detector_threads:
            self._detector_threads.pop().close()

    # what the lookouts call

    def receive_answer(self, detector: str, number: int, detections: Sequence[Detection]) -> None:
        """See `engine.live.detector_thread.Audience`."""
        there = scale_to_display(detections, self._longest_sides_px[detector], self._size)
        with self._state_changed:
            self._counts.looks[detector] += 1
            self._judge.add_answer(detector, number, there)
            if number in self._shown_boxes:
                self._handle_late_answer(detector, number, there)
            self._state_changed.notify_all()

    def handle_failure(self, detector: str, error: VeilError) -> None:
        """See `engine.live.detector_thread.Audience`."""
        with self._state_changed:
            self._judge.mark_failed(detector)
            if isinstance(error, InputError):
                self._fatal_error = error
            else:
                self._counts.restarts[detector] += 1
            if self.log_sink is not None:
                self.log_sink.write_event(str(error))
            self._state_changed.notify_all()

    # the rest

    @property
    def _size(self) -> Size:
        assert self.normaliser.size is not None, "no frame was given yet"
        return self.normaliser.size

    def _raise_fatal_error(self) -> None:
        if self._fatal_error is not None:
            raise self._fatal_error

    def _detect_discontinuity(self, frame: SourceFrame, *, changed: bool) -> tuple[Discontinuity | None, bool]:
        """Whether something new begins with a frame, and whether it is a scene cut."""
        if changed and self._next_discontinuity is None:
            self._next_discontinuity = "source"
        cut = (
            self._judging.cuts
            and self._cut_detector.is_cut(frame.luma_thumbnail())
            and self._next_discontinuity is None
        )
        beginning: Discontinuity | None = "cut" if cut else self._next_discontinuity
        self._next_discontinuity = None
        return beginning, cut

    def _submit_to_detectors(self, number: int, frame: SourceFrame) -> None:
        pictures: dict[int | None, Rgb] = {}
        for lookout in self._detector_threads:
            side = self._longest_sides_px[lookout.role.name]
            if side not in pictures:
                pictures[side] = frame.rgb(side)
            lookout.submit_picture(number, pictures[side])

    def _can_judge(self, pending: _PendingFrame) -> bool:
        return (
            self.controls.state.cover_all
            or self._fatal_error is not None
            or self._judge.has_all_answers(pending.number)
        )

    def _reach_verdict(self, pending: _PendingFrame, state: LiveControlsState) -> FrameVerdict:
        verdict = self._judge.judge_frame(pending.number, state.confidence)
        reason: CoverReason | None = (
            "asked" if state.cover_all else "damaged" if pending.frame.damaged else verdict.reason
        )
        faces = (clipped for face in verdict.faces if (clipped := _clip_face(face, self._size)) is not None)
        return FrameVerdict(reason, tuple(faces))

    def _build_masked_frame(self, pending: _PendingFrame, verdict: FrameVerdict, revision: int) -> MaskedFrame:
        frame = pending.frame
        return MaskedFrame(
            pending.number, frame.planar_frame, frame.pts, verdict, revision, pending.cut, pending.arrived_s
        )

    def _count_and_log(self, masked: MaskedFrame, state: LiveControlsState) -> None:
        reason = masked.verdict.reason
        if reason is None:
            self._counts.judged += 1
        else:
            self._counts.covered[reason] += 1
        self._shown_boxes[masked.number] = None if reason else tuple(face.box for face in masked.verdict.faces)
        self._shown_boxes.pop(masked.number - _LATE_HISTORY_FRAMES, None)
        if self.log_sink is None:
            return
        if masked.revision != self._logged_revision:
            self._logged_revision = masked.revision
            self.log_sink.write_controls(masked.revision, state)
        self.log_sink.write_frame(masked, self._size)

    def _handle_late_answer(self, detector: str, number: int, detections: Sequence[Detection]) -> None:
        masks, confidence = self._shown_boxes[number], self.controls.state.confidence
        if masks is not None:
            self._counts.late_faces += sum(
                sighting.score >= confidence and compute_covered_share(sighting.box, masks) < _MIN_COVERED_SHARE
                for sighting in detections
            )
        if self.log_sink is not None:
            self.log_sink.write_late_answer(number, detector, detections)


def _clip_face(face: FollowedFace, size: Size) -> FollowedFace | None:
    box = face.box.round_outwards(size)
    return None if box is None else FollowedFace(face.number, box, face.detections)
