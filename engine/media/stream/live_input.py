"""A running source: frames and audio packets as they come, through interruptions, on one clock.

A file, also one behind HTTP, is read at the speed of its clock. A camera or a stream that falls silent is opened again;
its clock then goes on after the pause. What is told of an address leaves out names and passwords in it.
"""

from __future__ import annotations

import hashlib
import stat
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, cast
from urllib.parse import urlsplit, urlunsplit

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.errors import SourceError

_NETWORK = ("udp", "rtp", "rtsp", "http", "https", "tcp", "rtmp", "rtmps")
_FINITE = ("http", "https")
_SILENCE = 3.0
"""Seconds without a packet after which a stream counts as gone."""
_ENDED = "the source ended"
_BACK, _AHEAD = Fraction(1, 10), Fraction(2)
"""Seconds by which a stream's clock may jump back and ahead before it counts as another one."""
_OPTIONS = {
    "udp": {"overrun_nonfatal": "1", "fifo_size": "50000", "buffer_size": "4194304"},
    "rtsp": {"rtsp_transport": "tcp"},
}
_HURRY = {"fflags": "nobuffer", "probesize": "1000000", "analyzeduration": "1500000"}
_MOST_ARRIVALS = 512


@dataclass(frozen=True, slots=True)
class FrameIn:
    """A decoded frame: its time in units of `LiveInput.time_base`, and when its packet was read (monotonic seconds)."""

    frame: VideoFrame
    pts: int
    aspect: Fraction
    arrived: float


@dataclass(frozen=True, slots=True)
class AudioIn:
    """An audio packet of the stream number `track`, its times on the common clock."""

    track: int
    packet: Packet[AudioStream]


@dataclass(frozen=True, slots=True)
class BreakIn:
    """The source was interrupted: what comes now is not the continuation of what came before."""

    reason: str


Event = FrameIn | AudioIn | BreakIn


class Received(NamedTuple):
    """How many bytes of packets were read, and their SHA-256 in the order they came."""

    bytes: int
    sha256: str


class LiveInput:
    """An open source; a context manager. `events` is to be run through by one thread.

    Args:
        address: path of a file or of a camera (/dev/video0), or an address: udp, rtp, rtsp, http, https, tcp, rtmp.
        stop: ends the events when it is set.
        patience: seconds for which a source that went away is tried again.

    Raises:
        SourceError: it cannot be opened, or has no video.
    """

    def __init__(self, address: str, stop: threading.Event, patience: float = 30.0) -> None:
        self.address = address
        self.is_file = "://" not in address and not _is_camera(address)
        self._finite = self.is_file or urlsplit(address).scheme in _FINITE
        self.undecodable = 0
        self.reconnects = 0
        self._stop, self._patience = stop, patience
        self._bytes, self._hash = 0, hashlib.sha256()
        self._container = self._opened()
        video = self._container.streams.video[0]
        self.time_base = video.time_base or Fraction(1, 90000)
        self.rate = video.average_rate or video.guessed_rate or Fraction(25)
        self.codec = video.codec_context.codec.canonical_name
        self.container = self._container.format.name
        self._codecs = [stream.codec_context.name for stream in self._container.streams.audio]
        self._clock = _Clock(keep=self.is_file)
        self._arrivals: dict[int, float] = {}
        self._heard: dict[int, Fraction] = {}
        self._started: tuple[float, Fraction] | None = None
        self._last: int | None = None

    @property
    def audio(self) -> list[AudioStream]:
        """The audio streams, to copy their parameters from."""
        return list(self._container.streams.audio)

    @property
    def streams(self) -> list[tuple[int, str, str]]:
        """Index, kind and codec of every stream."""
        return [
            (stream.index, stream.type, "unknown" if stream.codec_context is None else stream.codec_context.name)
            for stream in self._container.streams
        ]

    @property
    def video(self) -> VideoStream:
        """The video stream."""
        return self._container.streams.video[0]

    @property
    def index(self) -> int:
        """Of the video stream."""
        return self.video.index

    @property
    def pixel_format(self) -> str:
        """Of the video, as far as the source declares it."""
        return self.video.pix_fmt or "yuv420p"

    @property
    def received(self) -> Received:
        """What was read of video and audio until now."""
        return Received(self._bytes, self._hash.hexdigest())

    def events(self) -> Iterator[Event]:
        """Frames and packets until the source ends or is told to stop."""
        while not self._stop.is_set():
            reason = yield from self._connection()
            if (self._finite and reason == _ENDED) or self._stop.is_set() or not self._reconnected():
                return
            self.reconnects += 1
            yield BreakIn(reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def _connection(self) -> Generator[Event, None, str]:
        """What one connection delivers; returns why it ended."""
        video, tracks = self.video, {s.index: n for n, s in enumerate(self._container.streams.audio)}
        keyed = False
        packets = self._container.demux([video, *self._container.streams.audio])
        while not self._stop.is_set():
            try:
                packet = next(packets, None)
            except FFmpegError as error:
                return _ENDED if self.is_file else f"the source fell silent ({error.strerror})"
            if packet is None or not packet.size:
                yield from self._drained(video)
                return _ENDED
            arrived = time.monotonic()
            self._book(packet)
            if self._clock.jumped(packet):
                self.reconnects += 1
                yield BreakIn("the source's clock jumped")
            self._pace(packet)
            if packet.stream is video:
                keyed = keyed or packet.is_keyframe
                if keyed:
                    yield from self._decoded(packet, video, arrived)
            elif self._follows(tracks[packet.stream_index], self._clock.moved(packet)):
                yield AudioIn(tracks[packet.stream_index], cast("Packet[AudioStream]", packet))
        return "stopped"

    def _follows(self, track: int, packet: Packet[Any]) -> bool:
        """Whether an audio packet goes on where its output stream is; after an interruption the first may not."""
        stamp = packet.dts if packet.dts is not None else packet.pts
        if track >= len(self._codecs) or stamp is None:
            return False
        now, before = stamp * packet.time_base, self._heard.get(track)
        if before is not None and now <= before:
            return False
        self._heard[track] = now
        return True

    def _decoded(self, packet: Packet[Any], video: VideoStream, arrived: float) -> Iterator[FrameIn]:
        if self._finite:
            arrived = time.monotonic()  # a frame of it arrives when its turn to be shown has come
        elif packet.pts is not None:
            self._arrivals[packet.pts] = arrived
        try:
            frames = video.codec_context.decode(packet)
        except FFmpegError:
            self.undecodable += 1
            return
        for frame in frames:
            yield self._frame(frame, video, arrived)

    def _drained(self, video: VideoStream) -> Iterator[FrameIn]:
        with suppress(EndOfFile):
            for frame in video.codec_context.decode(None):
                yield self._frame(frame, video, time.monotonic())

    def _frame(self, frame: VideoFrame, video: VideoStream, arrived: float) -> FrameIn:
        arrived = self._arrivals.pop(frame.pts, arrived) if frame.pts is not None else arrived
        if len(self._arrivals) > _MOST_ARRIVALS:
            self._arrivals.clear()
        aspect = video.codec_context.sample_aspect_ratio or Fraction(1)
        return FrameIn(frame, self._time(frame, video), aspect, arrived)

    def _time(self, frame: VideoFrame, video: VideoStream) -> int:
        """The frame's time on the common clock, after that of the frame before."""
        step = max(1, round(1 / (self.rate * self.time_base)))
        pts = None if frame.pts is None else self._clock.time(frame.pts, video.time_base or self.time_base)
        ticks = (0 if self._last is None else self._last + step) if pts is None else round(pts / self.time_base)
        self._last = ticks if self._last is None else max(ticks, self._last + 1)
        return self._last

    def _book(self, packet: Packet[Any]) -> None:
        if not self.is_file:
            self._bytes += packet.size
            self._hash.update(bytes(packet))

    def _pace(self, packet: Packet[Any]) -> None:
        """Wait until a packet is due of a source that may come faster than its clock."""
        if not self._finite or packet.dts is None:
            return
        due = packet.dts * packet.time_base
        if self._started is None:
            self._started = time.monotonic(), due
        delay = self._started[0] + float(due - self._started[1]) - time.monotonic()
        if delay > 0:
            self._stop.wait(delay)

    def _reconnected(self) -> bool:
        """Open the source again, for as long as patience lasts."""
        self._container.close()
        until = time.monotonic() + self._patience
        while time.monotonic() < until and not self._stop.is_set():
            try:
                container = self._opened()
            except SourceError:
                self._stop.wait(0.5)
                continue
            if [stream.codec_context.name for stream in container.streams.audio] != self._codecs:
                self._codecs = []  # other audio cannot go into the streams that were promised
            self._container = container
            self._clock.restart()
            self._arrivals.clear()
            return True
        return False

    def _opened(self) -> InputContainer:
        container = _open(self.address, is_file=self.is_file)
        if not container.streams.video:
            container.close()
            raise SourceError(f"{told(self.address)} has no video.")
        video = container.streams.video[0]
        video.thread_type = "SLICE"  # threads over frames would hold frames back
        return container


class _Clock:
    """Moves the times of each connection so that the first starts at 0 and later ones go on after the pause."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._shift: Fraction | None = Fraction(0) if keep else None
        self._goal = Fraction(0)
        self._latest: dict[int, Fraction] = {}
        self._heard = time.monotonic()

    def restart(self) -> None:
        """What comes now counts from other times."""
        self._goal = self._end() + Fraction(time.monotonic() - self._heard).limit_denominator(1000)
        self._shift = None
        self._latest.clear()

    def jumped(self, packet: Packet[Any]) -> bool:
        """Take note of a packet's time; whether it does not follow the one before it in its stream."""
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None or self._keep:
            return False
        now = stamp * packet.time_base
        before, jumped = self._latest.get(packet.stream_index), False
        if before is not None and not -_BACK < now - before < _AHEAD:
            self._goal, jumped = self._end(), True
            self._shift = None
            self._latest.clear()
        if self._shift is None:
            self._shift = self._goal - now
        self._latest[packet.stream_index] = now
        self._heard = time.monotonic()
        return jumped

    def time(self, stamp: int, time_base: Fraction) -> Fraction:
        """Seconds on the common clock."""
        return stamp * time_base + (self._shift or 0)

    def moved(self, packet: Packet[Any]) -> Packet[Any]:
        """The packet with its times on the common clock."""
        ticks = round((self._shift or 0) / packet.time_base)
        if ticks:
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        return packet

    def _end(self) -> Fraction:
        """Just after everything that came."""
        return max(self._latest.values(), default=Fraction(0)) + (self._shift or 0) + Fraction(1, 10)


def told(address: str) -> str:
    """An address without names, passwords and tokens, for messages and records."""
    if "://" not in address:
        return address
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _open(address: str, *, is_file: bool) -> InputContainer:
    scheme = urlsplit(address).scheme if "://" in address else ""
    if scheme not in {"", *_NETWORK}:
        raise SourceError(f"{told(address)} cannot be read: sources are files, cameras, {', '.join(_NETWORK)}.")
    name = "v4l2" if not is_file and not scheme else None
    options = {**({} if is_file or scheme in _FINITE else _HURRY), **_OPTIONS.get(scheme, {})}
    target = f"file:{address}" if is_file else address
    limit = None if is_file else (10.0, _SILENCE)
    try:
        return av.open(target, "r", format=name, options=options, timeout=limit, metadata_errors="replace")
    except FFmpegError as error:
        raise SourceError(
            f"{told(address)} cannot be opened as a running picture ({error.strerror}). "
            "Check the path or address, and that something is being sent."
        ) from error


def _is_camera(address: str) -> bool:
    path = Path(address)
    return path.exists() and stat.S_ISCHR(path.stat().st_mode)
