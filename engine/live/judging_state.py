"""The state in which the threads of a live run meet: frames that wait, answers that came, and what was shown.

Three kinds of threads use it. The source's thread adds frames, each detector's thread adds answers, and the sending
thread takes frames out, in order. One lock guards all of it.

The design fails closed. A frame leaves by `take_verdict` alone, and a verdict that shows a frame needs answers that are
there. Whatever goes wrong (a detector dies, hangs or is slow, a thread gets no processor time, the lock is contended)
means that answers are missing, so the frame is covered whole. No failure has to be noticed for that.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from engine.core.geometry import Box, Size
from engine.detectors.scale import scale_from_picture
from engine.errors import InputError, VeilError
from engine.live.controls import LiveControls, LiveControlsState
from engine.live.counters import LiveCounterAccumulator, LiveCounters
from engine.live.detector_thread import DetectorRole, Look
from engine.live.frame_admission import FrameAdmission
from engine.live.judge import CoverReason, Discontinuity, FrameVerdict, Judge
from engine.live.look_size import LookSizeChange, compute_smallest_face_px
from engine.live.settings import FollowingSettings, JudgingSettings
from engine.live.tracker import FollowedFace, compute_covered_share
from engine.masking.style import Style
from engine.media.frame import SourceFrame
from engine.record import Detection

if TYPE_CHECKING:
    VideoFrame = Any
    """PyAV's type; only engine.media imports PyAV."""

_LATE_HISTORY_FRAMES = 128
"""Number of shown frames whose masks are kept, to compare late answers with them: five seconds at 25 frames/s, more
than a detector may be silent before it is restarted."""
_MIN_COVERED_SHARE = 0.7
"""Share of a late detection's box that one mask must cover for the face to count as covered."""


class MaskedFrame(NamedTuple):
    """A frame that may be shown once its mask is drawn.

    Attributes:
        number: place in the order of arrival, from 0.
        frame: PyAV's frame with the final samples.
        pts: presentation time stamp, as the caller gave it.
        verdict: cover reason or masked faces.
        revision: number of changes of the controls before this frame.
        cut: the frame begins a new scene.
        arrived_s: monotonic time of arrival, in seconds.
        judged_s: monotonic time of the verdict, in seconds.
    """

    number: int
    frame: VideoFrame
    pts: int
    verdict: FrameVerdict
    revision: int
    cut: bool
    arrived_s: float
    judged_s: float


class LiveLogSink(Protocol):
    """Writes down what a masker does. Called with the lock held, from several threads."""

    def write_frame(self, masked: MaskedFrame) -> None:
        """Write a frame that is about to be handed out."""

    def write_late_answer(self, number: int, detector: str, detections: Sequence[Detection]) -> None:
        """Write an answer for a frame that was handed out before the answer came."""

    def write_controls(self, state: LiveControlsState) -> None:
        """Write the state of the controls from the next frame on."""

    def write_look_size(self, change: LookSizeChange) -> None:
        """Write that a detector looks at pictures of another size."""

    def write_event(self, description: str) -> None:
        """Write, in one sentence, anything else that an auditor should know."""


@dataclass(frozen=True, slots=True)
class PendingFrame:
    """A frame that waits for its verdict.

    Attributes:
        number: place in the order of arrival.
        frame: the normalised frame.
        submitted_s: monotonic time from which the deadline runs, in seconds.
        arrived_s: monotonic time of arrival, in seconds.
        cut: the frame begins a new scene.
    """

    number: int
    frame: SourceFrame
    submitted_s: float
    arrived_s: float
    cut: bool


class JudgedFrame(NamedTuple):
    """A frame with its verdict, whose mask is still to be drawn in `style`."""

    masked: MaskedFrame
    source_frame: SourceFrame
    style: Style


class JudgingState:
    """Frames, answers and counters of one live run behind one lock. An `AnswerSink` of the detector threads.

    Args:
        roles: the detectors.
        judging: when a frame counts as judged.
        following: how faces are followed.
        controls: read for each frame.

    Attributes:
        log_sink: writes down what is shown; set it before the first frame is taken.
    """

    def __init__(
        self,
        roles: Sequence[DetectorRole],
        judging: JudgingSettings,
        following: FollowingSettings,
        controls: LiveControls,
    ) -> None:
        self.log_sink: LiveLogSink | None = None
        self._judging, self._controls = judging, controls
        self._judge = Judge({role.name: role.every_frame for role in roles}, judging, following)
        self._every_frame = {role.name for role in roles if role.every_frame}
        self._adaptive = {role.name: role.look_sides_px[0] for role in roles if role.look_sides_px}
        self._look_changes: list[LookSizeChange] = []
        self._admission = FrameAdmission(judging.wait, judging.backlog)
        self._changed = threading.Condition()
        self._size: Size | None = None
        self._pending_frames: deque[PendingFrame] = deque()
        self._shown_boxes: dict[int, tuple[Box, ...] | None] = {}
        self._counts = LiveCounterAccumulator()
        self._fatal_error: VeilError | None = None
        self._logged_revision = -1

    # ---- called by the source's thread ----

    def add_frame(
        self, pending: PendingFrame, time_s: float, discontinuity: Discontinuity | None, *, size: Size, changes: int
    ) -> None:
        """Add the next frame, before it is submitted to the detectors.

        Args:
            pending: the frame.
            time_s: its time in seconds of a clock that rises.
            discontinuity: what begins with the frame.
            size: size of all frames, in display pixels.
            changes: number of format changes of the source so far.
        """
        with self._changed:
            self._size = size
            self._judge.add_frame(pending.number, time_s, discontinuity)
            self._counts.frames += 1
            self._counts.source_changes = changes
            self._pending_frames.append(pending)

    @property
    def is_backlogged(self) -> bool:
        """True while another frame would have to wait too long."""
        with self._changed:
            return not self._admission.admits(len(self._pending_frames))

    def count_dropped_frame(self) -> None:
        """Count a frame that arrived and is never shown, because too many wait."""
        with self._changed:
            self._counts.frames += 1
            self._counts.dropped += 1

    def raise_fatal_error(self) -> None:
        """Raise the error after which no detector will answer any more, if there is one."""
        if self._fatal_error is not None:
            raise self._fatal_error

    # ---- called by the detectors' threads ----

    def receive_look(self, look: Look) -> None:
        """Take in an answer; see `engine.live.detector_thread.AnswerSink`."""
        assert self._size is not None
        scaled = scale_from_picture(look.detections, look.picture_size, self._size)
        with self._changed:
            self._counts.count_look(look.detector, look.picture_size.longest_side)
            if look.detector in self._every_frame:
                self._admission.add_duration(look.detector, look.seconds)
            self._judge.add_answer(look.detector, look.number, scaled)
            # The frame may already be out: the detector that runs beside is slow, and the other one may have missed
            # its deadline. The answer still helps the frames to come, and the log must say what was missed.
            if look.number in self._shown_boxes:
                self._handle_late_answer(look.detector, look.number, scaled)
            self._changed.notify_all()

    def change_look_size(self, change: LookSizeChange) -> None:
        """Take in another size of looks; see `engine.live.detector_thread.AnswerSink`."""
        assert self._size is not None
        with self._changed:
            self._look_changes.append(change)
            self._counts.smallest_face_px = (
                compute_smallest_face_px(change.side_px, self._size)
                if change.side_px < self._adaptive[change.detector]
                else 0
            )
            if self.log_sink is not None:
                self.log_sink.write_look_size(change)

    def handle_failure(self, detector: str, error: VeilError) -> None:
        """Take in the loss of a detector; see `engine.live.detector_thread.AnswerSink`."""
        with self._changed:
            # First of all: even if the log fails below, no frame is judged by answers of a process that is gone.
            self._judge.mark_failed(detector)
            if isinstance(error, InputError):
                # Missing weights or a wrong parameter: a restart fails in the same way, so the run has to end.
                self._fatal_error = error
            else:
                self._counts.restarts[detector] += 1
            if self.log_sink is not None:
                self.log_sink.write_event(str(error))
            self._changed.notify_all()

    # ---- called by the sending thread ----

    def take_verdict(self) -> JudgedFrame:
        """Take the oldest frame; wait for its answers until its deadline.

        Raises:
            ModelError, InputError: a detector cannot be loaded.
            IndexError: no frame waits.
        """
        pending = self._pending_frames[0]
        with self._changed:
            # The wait ends early when nothing more can come that would show the frame: the answers are there, the
            # detector is lost, or everything is covered anyway. After the deadline the frame goes out covered, so a
            # detector that hangs delays the output by the deadline and no more.
            left_s = pending.submitted_s + self._judging.deadline - time.monotonic()
            self._changed.wait_for(lambda: self._needs_no_wait(pending), max(0.0, left_s))
            # The answer of a detector beside is often on its way: where frames are rare, it is the one for this frame.
            # The time counts from the submission, so that a detector that hangs does not slow down every frame.
            beside_s = min(self._judging.beside, self._judging.deadline)
            left_s = pending.submitted_s + beside_s - time.monotonic()
            self._changed.wait_for(lambda: not self._lacks_beside(pending), max(0.0, left_s))
            self.raise_fatal_error()
            # Controls are read after the wait: a panic key that is pressed during it holds for this frame.
            revision, state, style = self._controls.read_state()
            verdict = self._reach_verdict(pending, state)
            self._pending_frames.popleft()
            frame = pending.frame
            masked = MaskedFrame(
                pending.number,
                frame.planar_frame,
                frame.pts,
                verdict,
                revision,
                pending.cut,
                pending.arrived_s,
                time.monotonic(),
            )
            # The log line is written before the frame goes out. After a crash the log may name a frame that no viewer
            # saw, but no viewer saw a frame that the log lacks.
            self._count_and_log(masked, state)
            return JudgedFrame(masked, frame, style)

    def count_sent_frame(self, masked: MaskedFrame) -> None:
        """Count the delay of a frame whose packet was just written."""
        now = time.monotonic()
        with self._changed:
            self._counts.add_delay(now - masked.arrived_s)
            self._admission.add_duration("sending", now - masked.judged_s)

    def take_look_changes(self) -> list[LookSizeChange]:
        """Take the changes of the size of looks that were not taken yet."""
        with self._changed:
            taken, self._look_changes = self._look_changes, []
            return taken

    def set_source_counts(self, undecodable: int, reconnects: int) -> None:
        """Replace the counts that the source keeps."""
        with self._changed:
            self._counts.undecodable, self._counts.reconnects = undecodable, reconnects

    # ---- called by any thread ----

    @property
    def counters(self) -> LiveCounters:
        """The counters as they are now."""
        with self._changed:
            return self._counts.to_counters()

    def wait_for_answers(self, number: int, timeout_s: float) -> bool:
        """Wait until every detector has answered for a frame or a later one; return False after `timeout_s` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._judge.has_caught_up(number), timeout_s)

    # ---- with the lock held ----

    def _needs_no_wait(self, pending: PendingFrame) -> bool:
        return (
            self._controls.state.cover_all
            or self._fatal_error is not None
            or self._judge.has_all_answers(pending.number)
        )

    def _lacks_beside(self, pending: PendingFrame) -> bool:
        """Return whether the frame would be covered only because a detector beside has not answered in time."""
        return (
            not self._controls.state.cover_all
            and self._fatal_error is None
            and self._judge.find_cover_reason(pending.number) in {"start", "source", "cut", "stale"}
        )

    def _reach_verdict(self, pending: PendingFrame, state: LiveControlsState) -> FrameVerdict:
        # The judge sees every frame, also one that is covered for another reason: it follows faces from frame to frame.
        verdict = self._judge.judge_frame(pending.number, state.confidence)
        reason: CoverReason | None = (
            "asked" if state.cover_all else "damaged" if pending.frame.damaged else verdict.reason
        )
        assert self._size is not None
        clipped = ((face, face.box.round_outwards(self._size)) for face in verdict.faces)
        faces = (FollowedFace(face.number, box, face.detections) for face, box in clipped if box is not None)
        return FrameVerdict(reason, tuple(faces))

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
            self.log_sink.write_controls(state)
        self.log_sink.write_frame(masked)

    def _handle_late_answer(self, detector: str, number: int, detections: Sequence[Detection]) -> None:
        masks, confidence = self._shown_boxes[number], self._controls.state.confidence
        if masks is not None:  # None: the frame was covered whole, so nothing showed
            self._counts.late_faces += sum(
                detection.score >= confidence and compute_covered_share(detection.box, masks) < _MIN_COVERED_SHARE
                for detection in detections
            )
        if self.log_sink is not None:
            self.log_sink.write_late_answer(number, detector, detections)
