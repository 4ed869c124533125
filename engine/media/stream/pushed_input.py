"""A live source whose frames another component receives and pushes, such as those of a browser's camera."""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any

from av.video.frame import VideoFrame

from engine.core.closeable import Closeable
from engine.errors import SourceError
from engine.media.stream.audio_parameters import AudioParameters
from engine.media.stream.live_source import FrameEvent, InputDigest, InputEvent

_MAX_WAITING_FRAMES = 64
"""Frames that may wait to be read; the reader never waits for detectors, so a full queue means that it has stopped."""
_STOP_CHECK_INTERVAL_S = 0.25
"""Interval at which a waiting reader checks whether the run should stop."""
_TICKS_PER_S = 90_000


class PushedInput(Closeable):
    """A source of pushed frames, timed by their arrival; a context manager.

    Frames that arrive before `events` is read are dropped. Packets are not available here, so `input_digest` is of the
    decoded pictures.

    Args:
        address: name of the source in the record.
        stop: ends the events when it is set.
        rate: approximate frame rate.
    """

    is_file = False
    video_index = 0
    codec = "unknown"
    pixel_format = "yuv420p"
    container = "webrtc"
    streams = ((video_index, "video", codec),)
    undecodable_packets = 0
    reconnects = 0

    def __init__(self, address: str, stop: threading.Event, rate: Fraction = Fraction(30)) -> None:
        self.address, self.rate = address, rate
        self.time_base = Fraction(1, _TICKS_PER_S)
        self._stop = stop
        self._frames: queue.Queue[tuple[VideoFrame, float]] = queue.Queue(_MAX_WAITING_FRAMES)
        self._reading, self._closed = threading.Event(), threading.Event()
        self._bytes, self._hash = 0, hashlib.sha256()
        self._first_arrival_s: float | None = None
        self._last_pts = -1
        self._error: SourceError | None = None

    @property
    def audio_streams(self) -> tuple[AudioParameters, ...]:
        """Return no stream: only pictures are pushed."""
        return ()

    @property
    def input_digest(self) -> InputDigest:
        """Return the digest of the pictures that were read."""
        return InputDigest(self._bytes, self._hash.hexdigest())

    def push(self, frame: VideoFrame) -> None:
        """Add the next frame without waiting; the caller gives the frame away, and pushes from one thread only."""
        if self._reading.is_set() and not self._closed.is_set():
            with suppress(queue.Full):  # the reader has stopped, or the machine stalls
                self._frames.put_nowait((frame, time.monotonic()))

    def close(self) -> None:
        """Declare that no more frames will come, so that the run ends in order. Closing twice is allowed."""
        self._closed.set()

    def fail(self, error: SourceError) -> None:
        """Declare that no more frames will come because of an error, which `events` raises after the last frame."""
        self._error = error
        self.close()

    def events(self) -> Iterator[InputEvent]:
        """Yield frames until `close` is called or the run should stop.

        Raises:
            SourceError: what `fail` was called with.
        """
        self._reading.set()
        while not self._stop.is_set():
            try:
                frame, arrived = self._frames.get(timeout=_STOP_CHECK_INTERVAL_S)
            except queue.Empty:
                if self._error is not None:
                    raise self._error from None
                if self._closed.is_set():
                    return
            else:
                self._hash_frame(frame)
                yield FrameEvent(frame, self._assign_pts(arrived), arrived)

    def _assign_pts(self, arrived: float) -> int:
        # The clock of a browser's camera is unknown here, so the arrival is the time. Two frames that arrive in one
        # tick still need rising times.
        if self._first_arrival_s is None:
            self._first_arrival_s = arrived
        self._last_pts = max(self._last_pts + 1, round((arrived - self._first_arrival_s) * _TICKS_PER_S))
        return self._last_pts

    def _hash_frame(self, frame: VideoFrame) -> None:
        for plane in frame.planes:
            # Packets do not exist here, so the decoded samples, padding included, identify what was received.
            samples: Any = plane  # Python 3.11 has no type for objects with a buffer
            self._hash.update(samples)
            self._bytes += plane.buffer_size
