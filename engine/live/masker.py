"""Frames in, masked frames out: the live engine without a source and an output.

One thread submits frames; the same thread or another one collects them, in order. A frame that comes out was judged, or
is covered whole; there is no third way out.

    with LiveMasker(plan_detector_roles(), models) as masker:
        masked = masker.mask(frame)

Three units share the work: `FrameIntake` serves the thread that submits, `JudgingState` collects the answers of the
detectors' threads, and this module masks and hands out frames.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.closeable import Closeable
from engine.core.geometry import Orientation, Size
from engine.core.picture import Rgb
from engine.errors import DetectorError, InputError
from engine.live.controls import LiveControls
from engine.live.counters import LiveCounters
from engine.live.detector_thread import DetectorRole, DetectorThread
from engine.live.frame_intake import FrameIntake
from engine.live.judging_state import JudgingState, MaskedFrame
from engine.live.settings import FollowingSettings, JudgingSettings
from engine.masking.painter import cover_picture, redact
from engine.media.stream.normalise import frame_from_rgb, rgb_from_frame

if TYPE_CHECKING:
    VideoFrame = Any
    """PyAV's type; only engine.media imports PyAV."""

_POLL_INTERVAL_S = 0.05
"""Seconds between two checks for a detector that cannot be loaded, while waiting until all are ready."""


class LiveMasker(Closeable):
    """Hides the faces in a running picture. A context manager.

    Creating one starts the detectors and returns at once; frames are covered until the detectors have answered.

    Args:
        detector_roles: the detectors; at least one of them must look at every frame.
        models: folder of verified weights.
        judging: when a frame counts as judged.
        following: how faces are followed.
        controls: what can be changed while it runs.

    Attributes:
        controls: the controls.
        state: frames and answers; set its `log_sink` before the first frame is collected.

    Raises:
        InputError: no detector looks at every frame.
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
        if not any(role.every_frame for role in detector_roles):
            raise InputError("A live run needs a detector that looks at every frame; name one that is fast enough.")
        judging = judging or JudgingSettings()
        self.controls = controls or LiveControls()
        self.state = JudgingState(detector_roles, judging, following or FollowingSettings(), self.controls)
        self._detector_threads = [DetectorThread(role, models, judging, self.state) for role in detector_roles]
        self._intake = FrameIntake(self.state, self._detector_threads, detect_cuts=judging.cuts)

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait until every detector is loaded.

        Raises:
            DetectorError: loading took longer than `timeout_s` seconds.
            ModelError, InputError: a detector cannot be loaded.
        """
        until = time.monotonic() + timeout_s
        for thread in self._detector_threads:
            while not thread.ready.wait(_POLL_INTERVAL_S):
                self.state.raise_fatal_error()
                if time.monotonic() > until:
                    raise DetectorError(f"The detector {thread.role.name} was not loaded within {timeout_s:g} s.")

    @property
    def size(self) -> Size | None:
        """Size of the frames that come out, in display pixels; None before the first frame."""
        return self._intake.size

    @property
    def counters(self) -> LiveCounters:
        """The counters as they are now."""
        return self.state.counters

    def mark_interrupted(self) -> None:
        """Report that the source was interrupted; what follows is covered until every detector has looked at it."""
        self._intake.mark_interrupted()

    def mark_format_change(self) -> None:
        """Report that the pictures have another size, format or orientation from the next frame on."""
        self._intake.mark_format_change()

    def submit(
        self,
        decoded: VideoFrame,
        pts: int,
        seconds: Fraction | float,
        *,
        arrived_s: float | None = None,
        damaged: bool = False,
    ) -> None:
        """Submit the next frame; return as soon as it is on its way to the detectors.

        Args:
            decoded: PyAV's frame, with square pixels. The caller gives it away: it may be the one that comes out.
            pts: its presentation time stamp, handed through.
            seconds: its time in seconds of a clock that rises.
            arrived_s: monotonic time of its arrival; now if None.
            damaged: it was not decoded completely, so it is covered.

        Raises:
            ModelError, InputError: a detector cannot be loaded.
        """
        self._intake.submit(decoded, pts, float(seconds), arrived_s, damaged=damaged)

    def collect(self) -> MaskedFrame:
        """Return the oldest frame with its faces hidden or covered whole; wait for answers until its deadline.

        Raises:
            ModelError, InputError: a detector cannot be loaded.
            IndexError: every submitted frame was collected.
        """
        masked, source_frame, style = self.state.take_verdict()
        # Drawing takes milliseconds and happens without the lock, so that answers and frames can come in meanwhile.
        picture = source_frame.picture(writable=True)
        if masked.verdict.reason is not None:
            cover_picture(picture)
        else:
            assert self.size is not None
            redact(picture, [face.box for face in masked.verdict.faces], Orientation.upright(self.size), style)
        return masked

    def mask(self, frame: VideoFrame) -> VideoFrame:
        """Submit and collect one frame, for a caller with one thread; the time stamp stays.

        Raises:
            ModelError, InputError: a detector cannot be loaded.
        """
        seconds = time.monotonic() if frame.time is None else frame.time
        self.submit(frame, frame.pts or 0, seconds)
        masked = self.collect()
        masked.frame.pts = frame.pts
        if frame.time_base is not None:
            masked.frame.time_base = frame.time_base
        self.state.count_sent_frame(masked)
        return masked.frame

    def mask_picture(self, picture: Rgb) -> Rgb:
        """Mask an RGB picture, shape (height, width, 3); its time is the time of the call.

        Raises:
            ModelError, InputError: a detector cannot be loaded.
        """
        return rgb_from_frame(self.mask(frame_from_rgb(picture)))

    def close(self) -> None:
        """End the detectors; closing twice is allowed."""
        while self._detector_threads:
            self._detector_threads.pop().close()
