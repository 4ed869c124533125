"""The newest pictures of a live run, small, for somebody who looks on."""

from __future__ import annotations

import threading
import time

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from engine.core.geometry import Size

_STALE = 1.0
"""Seconds after which a picture is shown no longer: what stands still would look like what is."""
_EMPTY = Size(640, 360)
_FORMAT = "yuv420p"


class Preview:
    """Keeps a small copy of the newest frame that went out, and on demand of the newest that came in.

    Safe to use from several threads. Whoever looks gets black when nothing is there, or nothing new.

    Args:
        longest: side in pixels at most.

    Attributes:
        unmasked: keep what comes in as well, for somebody who may see it; off until it is set.
    """

    def __init__(self, longest: int = 960) -> None:
        self.unmasked = False
        self._longest = longest
        self._lock = threading.Lock()
        self._shown, self._came = _Newest(longest), _Newest(longest)

    def came(self, frame: VideoFrame) -> None:
        """A frame has come in; called before anything is drawn on it."""
        if self.unmasked:
            self._came.take(frame)

    def went(self, frame: VideoFrame) -> None:
        """A frame went out."""
        self._shown.take(frame)

    def picture(self, *, unmasked: bool = False) -> VideoFrame:
        """The newest frame that went out, of the caller's own; or the one that came in, if such are kept."""
        if unmasked and self.unmasked:
            return self._came.frame()
        return self._shown.frame()


class _Newest:
    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._converter = VideoReformatter()
        self._lock = threading.Lock()
        self._samples: NDArray[np.uint8] = _black(_EMPTY)
        self._at = -1e9

    def take(self, frame: VideoFrame) -> None:
        size = _even(Size(frame.width, frame.height).fit(self._longest))
        small = self._converter.reformat(
            frame, width=size.width, height=size.height, format=_FORMAT, dst_color_range=ColorRange.MPEG, threads=1
        )
        samples = np.asarray(small.to_ndarray(), np.uint8)
        with self._lock:
            self._samples, self._at = samples, time.monotonic()

    def frame(self) -> VideoFrame:
        with self._lock:
            samples, age = self._samples, time.monotonic() - self._at
        if age > _STALE:
            samples = _black(Size(samples.shape[1], samples.shape[0] * 2 // 3))
        return VideoFrame.from_ndarray(samples, format=_FORMAT)


def black_frame() -> VideoFrame:
    """What is shown where nothing may be shown."""
    return VideoFrame.from_ndarray(_black(_EMPTY), format=_FORMAT)


def _black(size: Size) -> NDArray[np.uint8]:
    samples = np.full((size.height * 3 // 2, size.width), 128, np.uint8)
    samples[: size.height] = 16
    return samples


def _even(size: Size) -> Size:
    return Size(max(2, size.width // 2 * 2), max(2, size.height // 2 * 2))
