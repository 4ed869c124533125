"""Keeps small copies of the newest pictures of a live run for viewers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from engine.core.geometry import Size

_MAX_AGE_S = 1.0
"""An older picture is replaced by black, because a frozen one would look like the present."""
NO_FRAME = "no frame"
"""The reason for a black picture when no frame has come for a while."""
_EMPTY_SIZE = Size(640, 360)
_PIXEL_FORMAT = "yuv420p"
_BLACK_LUMA = 16  # in video range
_TEXT_LUMA = 190
_TEXT_HEIGHT_SHARE = 0.04
"""Height of the letters of a caption as a share of the height of the picture."""
_LINE_SPACING = 2.0
_FONT = cv2.FONT_HERSHEY_SIMPLEX


class LivePreview:
    """Keeps a small copy of the newest output frame, and if wanted of the newest input frame.

    Safe to use from several threads. Without a recent frame it gives black.

    Args:
        max_side_px: longest side of a copy, until `limit_side` is called.
        clock: monotonic time in seconds.

    Attributes:
        keeps_unmasked: input frames are kept too, for people with the permission to see them; off by default.
    """

    def __init__(self, max_side_px: int = 960, clock: Callable[[], float] = time.monotonic) -> None:
        self.keeps_unmasked = False
        self._latest_output, self._latest_input = _LatestFrame(max_side_px, clock), _LatestFrame(max_side_px, clock)

    def limit_side(self, max_side_px: int) -> None:
        """Change the longest side of the copies from the next frame on: a smaller one costs a viewer's encoder less."""
        self._latest_output.max_side_px = self._latest_input.max_side_px = max_side_px

    def add_input_frame(self, frame: VideoFrame) -> None:
        """Store an input frame; call it before anything is drawn on the frame."""
        if self.keeps_unmasked:
            self._latest_input.store_frame(frame)

    def add_output_frame(self, frame: VideoFrame, cover_reason: str | None = None) -> None:
        """Store an output frame, and the reason if it is covered whole (see `engine.live.judge.CoverReason`)."""
        self._latest_output.store_frame(frame, cover_reason)

    @property
    def cover_reason(self) -> str | None:
        """Why the newest output frame is black: the reason of the judge, `NO_FRAME`, or None if it shows a picture."""
        return self._latest_output.read_reason()

    def get_frame(self, *, unmasked: bool = False) -> VideoFrame:
        """Return a copy of the newest output frame, or of the newest input frame if such are kept."""
        if unmasked and self.keeps_unmasked:
            return self._latest_input.read_frame()
        return self._latest_output.read_frame()


class _LatestFrame:
    def __init__(self, max_side_px: int, clock: Callable[[], float]) -> None:
        self.max_side_px, self._clock = max_side_px, clock
        self._converter = VideoReformatter()
        self._lock = threading.Lock()
        self._samples: NDArray[np.uint8] = _make_black_samples(_EMPTY_SIZE)
        self._stored_s = -1e9
        self._reason: str | None = None

    def store_frame(self, frame: VideoFrame, cover_reason: str | None = None) -> None:
        size = Size(frame.width, frame.height).fit(self.max_side_px).round_to_even()
        small = self._converter.reformat(
            frame,
            width=size.width,
            height=size.height,
            format=_PIXEL_FORMAT,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        samples = np.asarray(small.to_ndarray(), np.uint8)
        with self._lock:
            self._samples, self._stored_s, self._reason = samples, self._clock(), cover_reason

    def read_reason(self) -> str | None:
        with self._lock:
            return NO_FRAME if self._clock() - self._stored_s > _MAX_AGE_S else self._reason

    def read_frame(self) -> VideoFrame:
        with self._lock:
            samples, age = self._samples, self._clock() - self._stored_s
        # I420 in one array has 3/2 as many rows as the picture.
        if age > _MAX_AGE_S:
            samples = _make_black_samples(Size(samples.shape[1], samples.shape[0] * 2 // 3))
        return VideoFrame.from_ndarray(samples, format=_PIXEL_FORMAT)


def write_caption(frame: VideoFrame, lines: Sequence[str]) -> VideoFrame:
    """Return a copy of a preview frame with lines of text in its middle.

    Args:
        frame: A frame of `LivePreview`. Captions are for viewers of the preview: no output and no recording has one.
        lines: The text, in Latin letters.
    """
    samples = np.asarray(frame.to_ndarray(), np.uint8)
    size_px = _choose_letter_px(frame)
    top = (frame.height - _LINE_SPACING * size_px * len(lines)) / 2
    for number, line in enumerate(lines):
        _write_line(samples[: frame.height], line, top + number * _LINE_SPACING * size_px, size_px)
    return VideoFrame.from_ndarray(samples, format=_PIXEL_FORMAT)


def write_note(frame: VideoFrame, line: str) -> VideoFrame:
    """Return a copy of a preview frame with a line of text in a dark strip at its lower border."""
    samples = np.asarray(frame.to_ndarray(), np.uint8)
    size_px = _choose_letter_px(frame)
    luma = samples[: frame.height]
    # The strip makes the text legible on any picture.
    top = max(0, round(frame.height - _LINE_SPACING * size_px))
    luma[top:] = luma[top:] // 4 + _BLACK_LUMA
    _write_line(luma, line, top + (_LINE_SPACING - 1) / 2 * size_px, size_px)
    return VideoFrame.from_ndarray(samples, format=_PIXEL_FORMAT)


def _choose_letter_px(frame: VideoFrame) -> float:
    return max(8.0, _TEXT_HEIGHT_SHARE * frame.height)


def _write_line(luma: NDArray[np.uint8], line: str, top: float, size_px: float) -> None:
    """Write one line in the middle of the picture's width."""
    scale, thick = cv2.getFontScaleFromHeight(_FONT, round(size_px), 1), max(1, round(size_px / 14))
    frame_width = luma.shape[1]
    (width, height), _ = cv2.getTextSize(line, _FONT, scale, thick)
    # A line that is wider than the picture is made smaller instead of being cut off.
    fitted = scale * min(1.0, 0.94 * frame_width / width)
    left = (frame_width - min(width, 0.94 * frame_width)) / 2
    cv2.putText(luma, line, (round(left), round(top + height)), _FONT, fitted, _TEXT_LUMA, thick, cv2.LINE_AA)


def make_black_frame() -> VideoFrame:
    """Make the frame that stands for pictures that must not be shown."""
    return VideoFrame.from_ndarray(_make_black_samples(_EMPTY_SIZE), format=_PIXEL_FORMAT)


def _make_black_samples(size: Size) -> NDArray[np.uint8]:
    samples = np.full((size.height * 3 // 2, size.width), 128, np.uint8)
    samples[: size.height] = _BLACK_LUMA  # 128 is neutral chroma
    return samples
