"""Reads a live source: frames and audio packets as they arrive, across interruptions, on one clock.

A file, also one behind HTTP, is read at the speed of its clock. A camera or stream that stops sending is opened again;
its clock then continues after the pause. Messages and records show addresses without user names and passwords.
"""

from __future__ import annotations

import hashlib
import stat
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.core.addresses import strip_credentials
from engine.core.closeable import Closeable
from engine.core.geometry import Size
from engine.core.step_limit import NATIVE_STEP, limit_steps
from engine.errors import SourceError
from engine.media.local_file import LOCAL_ONLY_OPTIONS, local_url
from engine.media.source.crop import FrameCropper, align_crop, read_crop
from engine.media.stream.audio_parameters import AudioParameters, can_copy_audio, read_audio_parameters
from engine.media.stream.connection_clock import ConnectionClock
from engine.media.stream.live_source import AudioEvent, InputDigest, InterruptionEvent

_NETWORK_SCHEMES = ("udp", "rtp", "rtsp", "http", "https", "tcp", "rtmp", "rtmps")
_FINITE_SCHEMES = ("http", "https")
_SILENCE_TIMEOUT_S = 3.0  # without packets; then a stream counts as interrupted
_ENDED_REASON = "the source ended"
_SCHEME_OPTIONS = {
    # Without a large buffer, UDP packets are lost while a frame is processed.
    "udp": {"overrun_nonfatal": "1", "fifo_size": "50000", "buffer_size": "4194304"},
    "rtsp": {"rtsp_transport": "tcp"},
}
_LOW_LATENCY_OPTIONS = {"fflags": "nobuffer", "probesize": "1000000", "analyzeduration": "1500000"}
_MAX_ARRIVALS = 512
"""Bounds the table of arrival times, in case a decoder drops frames without a trace."""


@dataclass(frozen=True, slots=True)
class DecodedFrameEvent:
    """A frame as it was decoded, with pixels of any shape.

    Attributes:
        pts: presentation time in units of `LiveInput.time_base`.
        aspect: sample aspect ratio.
        arrival_s: when its packet was read, on the monotonic clock.
    """

    frame: VideoFrame
    pts: int
    aspect: Fraction
    arrival_s: float


DecodedEvent = DecodedFrameEvent | AudioEvent | InterruptionEvent


class LiveInput(Closeable):
    """An open live source; a context manager. Only one thread may use `events`.

    Args:
        address: path of a file or of a camera (/dev/video0), or an address: udp, rtp, rtsp, http, https, tcp, rtmp.
        stop: ends the events when it is set.
        reconnect_timeout_s: for how long an interrupted source is opened again and again before it counts as ended.

    Attributes:
        is_file: the source is a local file.
        time_base: seconds a unit of presentation times lasts.
        rate: approximate frame rate.
        undecodable_packets: number of packets that could not be decoded.
        reconnects: number of interruptions.

    Raises:
        SourceError: the source cannot be opened, or has no video.
    """

    def __init__(self, address: str, stop: threading.Event, reconnect_timeout_s: float = 30.0) -> None:
        self.address = address
        self.is_file = "://" not in address and not _is_camera(address)
        self._is_finite = self.is_file or urlsplit(address).scheme in _FINITE_SCHEMES
        self.undecodable_packets = 0
        self.reconnects = 0
        self._stop, self._reconnect_timeout_s = stop, reconnect_timeout_s
        self._bytes, self._hash = 0, hashlib.sha256()
        self._container = self._open_container()
        video = self._container.streams.video[0]
        self.time_base = video.time_base or Fraction(1, 90000)
        self.rate = video.average_rate or video.guessed_rate or Fraction(25)
        self.codec = video.codec_context.codec.canonical_name
        self.container = self._container.format.name
        self._codecs = _list_audio_codecs(self._container)
        self._clock = ConnectionClock(keep=self.is_file)
        self._arrivals: dict[int, float] = {}
        self._last_audio_times: dict[int, Fraction] = {}
        self._pacing_start: tuple[float, Fraction] | None = None
        self._last_pts: int | None = None
        # A network source sends the stream alone, without a container that could hide a part of the pictures.
        self._crop = read_crop(Path(address), self.video_index) if self.is_file else None
        self._cropper: FrameCropper | None = None

    @property
    def audio_streams(self) -> tuple[AudioParameters, ...]:
        """Return the audio streams whose packets can be copied, by track."""
        return tuple(
            read_audio_parameters(stream) for stream in self._container.streams.audio if can_copy_audio(stream)
        )

    @property
    def streams(self) -> list[tuple[int, str, str]]:
        """Return index, kind and codec of every stream."""
        return [(stream.index, stream.type, _name_codec(stream)) for stream in self._container.streams]

    @property
    def video_stream(self) -> VideoStream:
        """Return the video stream."""
        return self._container.streams.video[0]

    @property
    def video_index(self) -> int:
        """Return the index of the video stream."""
        return self.video_stream.index

    @property
    def pixel_format(self) -> str:
        """Return the pixel format of the video, or the usual one if the source declares none."""
        return self.video_stream.pix_fmt or "yuv420p"

    @property
    def input_digest(self) -> InputDigest:
        """Return the digest of the video and audio read so far."""
        return InputDigest(self._bytes, self._hash.hexdigest())

    def events(self) -> Iterator[DecodedEvent]:
        """Yield frames and packets until the source ends or `stop` is set."""
        while not self._stop.is_set():
            reason = yield from self._read_connection()
            if (self._is_finite and reason == _ENDED_REASON) or self._stop.is_set() or not self._reconnect():
                return
            self.reconnects += 1
            yield InterruptionEvent(reason)

    def close(self) -> None:
        """Close the connection."""
        self._container.close()

    def _read_connection(self) -> Generator[DecodedEvent, None, str]:
        """Yield the events of one connection; return the reason for its end."""
        video, has_keyframe = self.video_stream, False
        copied = self._list_copied_streams()
        tracks = {stream.index: number for number, stream in enumerate(copied)}
        packets = limit_steps(self._container.demux([video, *copied]))
        while not self._stop.is_set():
            try:
                packet = next(packets, None)
            except FFmpegError as error:
                return _ENDED_REASON if self.is_file else f"the source fell silent ({error.strerror})"
            if packet is None:
                yield from self._drain_decoder(video)
                return _ENDED_REASON
            if not packet.size:  # a frame that was left out
                continue
            arrived = time.monotonic()
            self._hash_packet(packet)
            if self._clock.detect_jump(packet):
                self.reconnects += 1
                yield InterruptionEvent("the source's clock jumped")
            self._wait_until_due(packet)
            if packet.stream is video:
                # After a connection in mid-stream, frames before a keyframe refer to frames that were never received.
                has_keyframe = has_keyframe or packet.is_keyframe
                if has_keyframe:
                    yield from self._decode_packet(packet, video, arrived)
            elif self._is_in_sequence(tracks[packet.stream_index], self._clock.shift_packet(packet)):
                yield AudioEvent(tracks[packet.stream_index], packet)
        return "stopped"

    def _list_copied_streams(self) -> list[AudioStream]:
        return [stream for stream in self._container.streams.audio if can_copy_audio(stream)]

    def _is_in_sequence(self, track: int, packet: Packet[Any]) -> bool:
        """Return whether a packet follows the packet before it in its track; muxers refuse times that do not rise."""
        stamp = packet.dts if packet.dts is not None else packet.pts
        if track >= len(self._codecs) or stamp is None:
            return False
        now, before = stamp * packet.time_base, self._last_audio_times.get(track)
        if before is not None and now <= before:
            return False
        self._last_audio_times[track] = now
        return True

    def _decode_packet(self, packet: Packet[Any], video: VideoStream, arrived: float) -> Iterator[DecodedFrameEvent]:
        if self._is_finite:
            arrived = time.monotonic()  # a file is read at its own pace, so its frames arrive when they are due
        elif packet.pts is not None:
            self._arrivals[packet.pts] = arrived
        try:
            with NATIVE_STEP:
                frames = video.codec_context.decode(packet)
        except FFmpegError:
            # A live run goes on without the frame; what is not shown needs no mask. The report counts it.
            self.undecodable_packets += 1
            return
        for frame in frames:
            yield self._make_frame_event(frame, video, arrived)

    def _drain_decoder(self, video: VideoStream) -> Iterator[DecodedFrameEvent]:
        try:
            with NATIVE_STEP:
                frames = video.codec_context.decode(None)
        except EndOfFile:
            return
        except FFmpegError:
            self.undecodable_packets += 1
            return
        for frame in frames:
            yield self._make_frame_event(frame, video, time.monotonic())

    def _make_frame_event(self, frame: VideoFrame, video: VideoStream, arrived: float) -> DecodedFrameEvent:
        # A decoder delays and reorders frames, so the arrival time is looked up by the frame's own time.
        arrived = self._arrivals.pop(frame.pts, arrived) if frame.pts is not None else arrived
        if len(self._arrivals) > _MAX_ARRIVALS:
            self._arrivals.clear()
        frame = self._crop_frame(frame, video)
        aspect = video.codec_context.sample_aspect_ratio or Fraction(1)
        return DecodedFrameEvent(frame, self._assign_pts(frame, video), aspect, arrived)

    def _crop_frame(self, frame: VideoFrame, video: VideoStream) -> VideoFrame:
        """Return the part of a frame that the container of a file shows."""
        if self._crop is None:
            return frame
        if self._cropper is None:
            size = Size(frame.width, frame.height)
            crop = align_crop(self._crop, size, frame.format.name, interlaced=frame.interlaced_frame)
            self._cropper = FrameCropper(video, crop)
        with NATIVE_STEP:
            return self._cropper.crop_frame(frame)

    def _assign_pts(self, frame: VideoFrame, video: VideoStream) -> int:
        """Return the frame's time on the common clock, later than that of the frame before."""
        # A frame without a time follows the one before it at the declared rate.
        step = max(1, round(1 / (self.rate * self.time_base)))
        pts = None if frame.pts is None else self._clock.to_common_time(frame.pts, video.time_base or self.time_base)
        ticks = (0 if self._last_pts is None else self._last_pts + step) if pts is None else round(pts / self.time_base)
        self._last_pts = ticks if self._last_pts is None else max(ticks, self._last_pts + 1)
        return self._last_pts

    def _hash_packet(self, packet: Packet[Any]) -> None:
        # A file is identified by its own hash. Of a stream, only what was received can be recorded.
        if not self.is_file:
            self._bytes += packet.size
            self._hash.update(bytes(packet))

    def _wait_until_due(self, packet: Packet[Any]) -> None:
        """Wait until a packet is due, if the source can be read faster than its clock."""
        if not self._is_finite or packet.dts is None:
            return
        due = packet.dts * packet.time_base
        if self._pacing_start is None:
            self._pacing_start = time.monotonic(), due
        delay = self._pacing_start[0] + float(due - self._pacing_start[1]) - time.monotonic()
        if delay > 0:
            self._stop.wait(delay)

    def _reconnect(self) -> bool:
        """Try to open the source again until the time limit; return whether it worked."""
        self._container.close()
        deadline = time.monotonic() + self._reconnect_timeout_s
        while time.monotonic() < deadline and not self._stop.is_set():
            try:
                container = self._open_container()
            except SourceError:
                self._stop.wait(0.5)
                continue
            if _list_audio_codecs(container) != self._codecs:
                self._codecs = []  # the streams of the output are fixed, so audio of other codecs is dropped
            self._container = container
            # The new connection counts from times of its own.
            self._clock.restart()
            self._arrivals.clear()
            return True
        return False

    def _open_container(self) -> InputContainer:
        container = _open_address(self.address, is_file=self.is_file)
        if not container.streams.video:
            container.close()
            raise SourceError(f"{strip_credentials(self.address)} has no video. Give a source with a video stream.")
        video = container.streams.video[0]
        # PyAV makes no decoder for a codec that this FFmpeg does not know; its stub says that every stream has one.
        if getattr(video, "codec_context", None) is None:
            container.close()
            raise SourceError(
                f"The video of {strip_credentials(self.address)} is in a codec that cannot be decoded. "
                "Send it in another one, such as H.264."
            )
        video.thread_type = "SLICE"  # frame threads would delay each frame by the number of threads
        return container


def _name_codec(stream: Stream) -> str:
    return "unknown" if stream.codec_context is None else stream.codec_context.name


def _list_audio_codecs(container: InputContainer) -> list[str]:
    return [_name_codec(stream) for stream in container.streams.audio]


def _open_address(address: str, *, is_file: bool) -> InputContainer:
    scheme = urlsplit(address).scheme if "://" in address else ""
    if scheme not in {"", *_NETWORK_SCHEMES}:
        raise SourceError(
            f"{strip_credentials(address)} cannot be read: sources are files, cameras, {', '.join(_NETWORK_SCHEMES)}."
        )
    name = "v4l2" if not is_file and not scheme else None
    options = {
        **({} if is_file or scheme in _FINITE_SCHEMES else _LOW_LATENCY_OPTIONS),
        **_SCHEME_OPTIONS.get(scheme, {}),
    }
    # Without the prefix FFmpeg takes a file name with a colon for an address.
    target = local_url(Path(address)) if is_file else address
    limit = None if is_file else (10.0, _SILENCE_TIMEOUT_S)
    try:
        with NATIVE_STEP:
            return av.open(
                target,
                "r",
                format=name,
                options=options,
                # A playlist on this machine must not make Veil open the network.
                container_options=LOCAL_ONLY_OPTIONS if is_file else {},
                timeout=limit,
                metadata_errors="replace",
            )
    except FFmpegError as error:
        raise SourceError(
            f"{strip_credentials(address)} cannot be opened as a live source ({error.strerror}). "
            "Check the path or address, and that something is being sent."
        ) from error


def _is_camera(address: str) -> bool:
    path = Path(address)
    return path.exists() and stat.S_ISCHR(path.stat().st_mode)
