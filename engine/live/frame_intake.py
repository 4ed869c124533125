"""The way of a frame into a live run: normalised, compared with the frame before, submitted to the detectors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.live.detector_thread import DetectorThread
from engine.live.judge import Discontinuity
from engine.live.judging_state import JudgingState, PendingFrame
from engine.media.frame import SourceFrame
from engine.media.stream.normalise import FrameNormaliser
from engine.record import TrackingSettings
from engine.timeline.cuts import CutDetector

if TYPE_CHECKING:
    VideoFrame = Any
    """PyAV's type; only engine.media imports PyAV."""


class FrameIntake:
    """Adds frames to a `JudgingState` and submits them to the detectors. Serves the source's thread alone.

    Args:
        state: where the frames wait.
        detector_threads: the detectors, all of which get every frame.
        detect_cuts: compare each frame with the one before and report scene cuts.
    """

    def __init__(self, state: JudgingState, detector_threads: Sequence[DetectorThread], *, detect_cuts: bool) -> None:
        self._state, self._detector_threads = state, detector_threads
        self._normaliser = FrameNormaliser()
        # The thresholds of a batch detection, so that both modes agree on what a cut is. Live cannot look ahead, so a
        # flash counts as a cut here: it costs a few covered frames, and never shows a face.
        self._cut_detector = CutDetector(TrackingSettings()) if detect_cuts else None
        self._next_number = 0
        self._next_discontinuity: Discontinuity | None = "start"
        self._marked_changes = 0

    @property
    def size(self) -> Size | None:
        """Size of the frames that come out, in display pixels; None before the first frame."""
        return self._normaliser.size

    def mark_interrupted(self) -> None:
        """Treat the next frame as the first one of a new source."""
        self._next_discontinuity = "source"

    def mark_format_change(self) -> None:
        """Note that the source, which normalises its frames, has another size, format or orientation from now on."""
        self._marked_changes += 1
        self._note_format_change()

    def submit(self, decoded: VideoFrame, pts: int, time_s: float, arrived_s: float | None, *, damaged: bool) -> None:
        """Add a frame; see `LiveMasker.submit`."""
        self._state.raise_fatal_error()
        submitted_s = time.monotonic()
        number, changes = self._next_number, self._normaliser.format_changes
        self._next_number += 1
        frame = self._normaliser.normalise(decoded, number, pts, damaged=damaged)
        assert self._normaliser.size is not None
        if self._normaliser.format_changes != changes:
            self._note_format_change()
        # The cut detector gets every frame, also the first one of a source: it compares neighbours.
        is_cut = self._cut_detector is not None and self._cut_detector.is_cut(frame.luma_thumbnail())
        cut = is_cut and self._next_discontinuity is None
        pending = PendingFrame(number, frame, submitted_s, arrived_s or submitted_s, cut)
        self._state.add_frame(
            pending,
            time_s,
            "cut" if cut else self._next_discontinuity,
            size=self._normaliser.size,
            changes=self._normaliser.format_changes + self._marked_changes,
        )
        self._next_discontinuity = None
        # Last of all: an answer must find its frame in the state.
        self._submit_to_detectors(number, frame)

    def _note_format_change(self) -> None:
        # It usually means another camera: earlier answers say nothing about it.
        self._next_discontinuity = self._next_discontinuity or "source"

    def _submit_to_detectors(self, number: int, frame: SourceFrame) -> None:
        # Detectors that want the same size share one picture; converting costs more than a detector's queue.
        pictures: dict[int | None, Rgb] = {}
        for thread in self._detector_threads:
            side_px = thread.role.longest_side_px
            if side_px not in pictures:
                pictures[side_px] = frame.rgb(side_px)
            thread.submit_picture(number, pictures[side_px])
