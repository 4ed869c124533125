"""The newest pictures of a live run, small, for somebody who looks on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from engine.core.geometry import Size

_MAX_AGE_S = 1.0
"""Seconds after which a picture is shown no longer: what stands still would look like what is."""
_EMPTY_SIZE = Size(640, 360)
_PIXEL_FORMAT = "yuv420p"


class LivePreview:
    """Keeps a small copy of the newest frame that went out, and on demand of the newest that came in.

    Safe to use from several threads. Whoever looks gets black when nothing is there, or nothing new.

    Args:
        max_side_px: longer side of the copies, at most.
        clock: monotonic time in seconds.

    Attributes:
        keeps_unmasked: keep what comes in as well, for somebody who may see it; off until it is set.
    """

    def __init__(self, max_side_px: int = 960, clock: Callable[[], float] = time.monotonic) -> None:
        self.keeps_unmasked = False
        self._latest_output, self._latest_input = _LatestFrame(max_side_px, clock), _LatestFrame(max_side_px, clock)

    def add_input_frame(self, frame: VideoFrame) -> None:
        """A frame has come in; called before anything is drawn on it."""
        if self.keeps_unmasked:
            self._latest_input.store_frame(frame)

    def add_output_frame(self, frame: VideoFrame) -> None:
        """A frame went out."""
        self._latest_output.store_frame(frame)

    def get_frame(self, *, unmasked: bool = False) -> VideoFrame:
        """The newest frame that went out, of the caller's own; or the one that came in, if such are kept."""
        if unmasked and self.keeps_unmasked:
            return self._latest_input.read_frame()
        return self._latest_output.read_frame()


class _LatestFrame:
    def __init__(self, max_side_px: int, clock: Callable[[], float]) -> None:
        self._max_side_px, self._clock = max_side_px, clock
        self._converter = VideoReformatter()
        self._lock = threading.Lock()
        self._samples: NDArray[np.uint8] = _make_black_samples(_EMPTY_SIZE)
        self._stored_s = -1e9

    def store_frame(self, frame: VideoFrame) -> None:
        size = _round_to_even(Size(frame.width, frame.height).fit(self._max_side_px))
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
            self._samples, self._stored_s = samples, self._clock()

    def read_frame(self) -> VideoFrame:
        with self._lock:
            samples, age = self._samples, self._clock() - self._stored_s
        if age > _MAX_AGE_S:
            samples = _make_black_samples(Size(samples.shape[1], samples.shape[0] * 2 // 3))
        return VideoFrame.from_ndarray(samples, format=_PIXEL_FORMAT)


def make_black_frame() -> VideoFrame:
    """What is shown where nothing may be shown."""
    return VideoFrame.from_ndarray(_make_black_samples(_EMPTY_SIZE), format=_PIXEL_FORMAT)


def _make_black_samples(size: Size) -> NDArray[np.uint8]:
    samples = np.full((size.height * 3 // 2, size.width), 128, np.uint8)
    samples[: size.height] = 16
    return samples


def _round_to_even(size: Size) -> Size:
    return Size(max(2, size.width // 2 * 2), max(2, size.height // 2 * 2))
