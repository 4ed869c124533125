"""A running source whose frames somebody else receives and hands over, as those of a browser's camera."""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any, Protocol

from av.audio.stream import AudioStream
from av.video.frame import VideoFrame

from engine.core.closeable import Closeable
from engine.media.stream.live_input import FrameEvent, InputDigest, InputEvent

_MAX_WAITING_FRAMES = 64
"""Frames that may wait to be read; whoever reads gives them to the detectors and never waits for these."""
_STOP_CHECK_INTERVAL_S = 0.25
"""Seconds between two looks at whether the run is to end."""
_TICKS_PER_S = 90_000


class LiveSource(Protocol):
    """What a live run asks of its source; `engine.media.stream.live_input.LiveInput` is the other one."""

    address: str
    is_file: bool
    time_base: Fraction
    rate: Fraction
    codec: str
    container: str
    undecodable_packets: int
    reconnects: int

    @property
    def audio_streams(self) -> list[AudioStream]:
        """The audio streams, to copy their parameters from."""

    @property
    def streams(self) -> list[tuple[int, str, str]]:
        """Index, kind and codec of every stream."""

    @property
    def video_index(self) -> int:
        """Of the video stream."""

    @property
    def pixel_format(self) -> str:
        """Of the video."""

    @property
    def input_digest(self) -> InputDigest:
        """What was read until now."""

    def events(self) -> Iterator[InputEvent]:
        """Frames and packets until the source ends or is told to stop."""


class PushedInput(Closeable):
    """Frames from elsewhere on a clock of their arrival; a context manager.

    Frames that come before anybody reads are passed over. `received` tells of the decoded pictures, since no packet is
    seen here.

    Args:
        address: what the source is called in the record.
        stop: ends the events when it is set.
        rate: about how many frames come a second.
    """

    is_file = False
    video_index = 0
    codec = "unknown"
    pixel_format = "yuv420p"
    container = "webrtc"
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

    @property
    def audio_streams(self) -> list[AudioStream]:
        """None: pictures only."""
        return []

    @property
    def streams(self) -> list[tuple[int, str, str]]:
        """The video."""
        return [(self.video_index, "video", self.codec)]

    @property
    def input_digest(self) -> InputDigest:
        """Bytes of the pictures that were read, and their SHA-256 in the order they came."""
        return InputDigest(self._bytes, self._hash.hexdigest())

    def push(self, frame: VideoFrame) -> None:
        """Hand over the next frame, which is given away; never waits. From any one thread."""
        if self._reading.is_set() and not self._closed.is_set():
            with suppress(queue.Full):  # nobody reads any more, or the machine stands still
                self._frames.put_nowait((frame, time.monotonic()))

    def close(self) -> None:
        """No more frames will come; the run ends in order. Closing twice is allowed."""
        self._closed.set()

    def events(self) -> Iterator[InputEvent]:
        """Frames until `close` was called or the run is to stop."""
        self._reading.set()
        while not self._stop.is_set():
            try:
                frame, arrived = self._frames.get(timeout=_STOP_CHECK_INTERVAL_S)
            except queue.Empty:
                if self._closed.is_set():
                    return
            else:
                self._hash_frame(frame)
                yield FrameEvent(frame, self._assign_pts(arrived), Fraction(1), arrived)

    def _assign_pts(self, arrived: float) -> int:
        if self._first_arrival_s is None:
            self._first_arrival_s = arrived
        self._last_pts = max(self._last_pts + 1, round((arrived - self._first_arrival_s) * _TICKS_PER_S))
        return self._last_pts

    def _hash_frame(self, frame: VideoFrame) -> None:
        for plane in frame.planes:
            samples: Any = plane  # Python 3.11 has no type for "gives a buffer"
            self._hash.update(samples)
            self._bytes += plane.buffer_size
