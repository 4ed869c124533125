"""Writes the output of a live run: frames are encoded without delay, audio packets are copied."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO, Annotated, Any, Literal, TypeVar, cast
from urllib.parse import urlsplit

import av
import imageio_ffmpeg
import msgspec
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from engine.core.child_process import wait_or_kill
from engine.core.geometry import Size
from engine.errors import RenderError, TargetError
from engine.media.output.encoder import EncoderPreset
from engine.media.stream.audio_parameters import AudioParameters, add_audio_stream
from engine.record import Document
from engine.storage.files import publish_file

_SCHEME_MUXERS = {"udp": "mpegts", "srt": "mpegts", "tcp": "mpegts", "rtmp": "flv", "rtmps": "flv"}
_MUXER_OPTIONS = {
    # Fragments keep a file playable up to the last fragment if the run is killed.
    "mov": {"movflags": "frag_keyframe+delay_moov+default_base_moof"},
    "mp4": {"movflags": "frag_keyframe+delay_moov+default_base_moof"},
    "mpegts": {"mpegts_flags": "resend_headers", "pat_period": "0.4"},
    "flv": {"flvflags": "no_duration_filesize"},
}
_MAX_SUPERFAST_PIXELS_PER_S = 1920 * 1080 * 30
_DATAGRAM_BYTES = 1316
"""Seven packets of a transport stream, which fit into one Ethernet frame."""


Made = TypeVar("Made")


class LiveEncoding(Document, frozen=True):
    """Encoder settings of a live run.

    Attributes:
        preset: libx264's preset; faster ones give larger streams. "auto": superfast, or ultrafast for more pixels a
            second than 1920x1080 at 30 frames/s has.
        crf: constant rate factor.
        max_kbit: limit in kilobits a second; None: unlimited.
        threads: number of slices that are encoded at once.
        keyframe_seconds: distance between keyframes, which is the longest wait of a viewer who tunes in.
    """

    preset: EncoderPreset | Literal["auto"] = "auto"
    crf: Annotated[float, msgspec.Meta(ge=0.0, le=51.0)] = 21.0
    max_kbit: Annotated[int, msgspec.Meta(ge=100)] | None = None
    threads: Annotated[int, msgspec.Meta(ge=1, le=16)] = 2
    keyframe_seconds: Annotated[int, msgspec.Meta(ge=1, le=10)] = 2

    def choose_preset(self, size: Size, rate: Fraction) -> LiveEncoding:
        """Return the same settings with the preset for pictures of a size at a rate."""
        if self.preset != "auto":
            return self
        light = size.width * size.height * rate > _MAX_SUPERFAST_PIXELS_PER_S
        return msgspec.structs.replace(self, preset="ultrafast" if light else "superfast")

    def encoder_options(self, rate: Fraction) -> dict[str, str]:
        """Return options of libx264 by FFmpeg's names."""
        limit = {} if self.max_kbit is None else {"maxrate": f"{self.max_kbit}k", "bufsize": f"{self.max_kbit // 2}k"}
        return {
            "preset": self.preset,
            "tune": "zerolatency",
            "crf": f"{self.crf:g}",
            "threads": str(self.threads),
            "g": str(max(1, round(rate * self.keyframe_seconds))),
            **limit,
        }


class LiveOutput:
    """An open output, for use by one thread.

    A file is written under `NAME.partial` and renamed when the run ends in order; after a failure, what was shown up to
    then stays in the partial file.

    Args:
        target: path of a file, or an address: udp://, tcp://, srt://, rtmp://, rtmps://.
        size: size of the pictures.
        time_base: seconds a unit of their pts lasts.
        rate: approximate frame rate.
        audio: streams whose packets will be copied.
        encoding: settings of the encoder.

    Raises:
        TargetError: the output cannot be opened, or cannot hold the audio unchanged.
    """

    def __init__(  # noqa: PLR0913
        self,
        target: str,
        size: Size,
        time_base: Fraction,
        rate: Fraction,
        *,
        audio: Sequence[AudioParameters],
        encoding: LiveEncoding,
    ) -> None:
        self.target = target
        self._scheme = parse_output_scheme(target)
        self._time_base = time_base
        self._partial_path: Path | None = None
        self._relay: subprocess.Popen[bytes] | None = None
        self._container = self._call_guarded(self._open_container)
        try:
            self._video = self._call_guarded(lambda: self._add_video(size, rate, encoding))
            self._audio = [self._add_audio(stream) for stream in audio]
            self._call_guarded(self._container.start_encoding)
        except TargetError:
            self._abandon()
            raise

    def write_video(self, frame: VideoFrame, pts: int) -> None:
        """Encode one frame and write it at once.

        Raises:
            TargetError: the output can no longer be written.
        """
        # Type 0 lets the encoder choose: the type of the source's frame would force its keyframes on the output.
        frame.pts, frame.time_base = pts, self._time_base
        frame.pict_type = 0
        self._call_guarded(lambda: self._container.mux(self._video.encode(frame)))

    def write_audio(self, track: int, packet: Packet[Any]) -> None:
        """Write a packet of the audio stream number `track` unchanged.

        Raises:
            TargetError: the output can no longer be written.
        """
        packet.stream = self._audio[track]
        self._call_guarded(lambda: self._container.mux(packet))

    def close(self) -> None:
        """Finish the output; a file gets its final name.

        Raises:
            TargetError: the output can no longer be written.
        """
        self._call_guarded(lambda: self._container.mux(self._video.encode(None)))
        self._call_guarded(self._container.close)
        self._end_relay()
        if self._partial_path is not None:
            publish_file(self._partial_path, Path(self.target))

    def abandon(self) -> None:
        """Close the output after a failure; a partial file stays."""
        self._abandon()

    def _open_container(self) -> OutputContainer:
        name = _SCHEME_MUXERS.get(self._scheme)
        options = {
            "flush_packets": "1",
            # Do not hold video back for more than 0.2 s to interleave it with audio that is late or has stopped.
            "max_interleave_delta": "200000",
            **_MUXER_OPTIONS.get(name or self._suffix, {}),
        }
        if self._scheme == "srt":
            self._relay = _start_relay(self.target)
            return av.open(
                cast("Any", _UnseekablePipe(cast("IO[bytes]", self._relay.stdin))), "w", format=name, options=options
            )
        if self._scheme:
            return av.open(_add_packet_size(self.target), "w", format=name, options=options, timeout=10.0)
        target = Path(self.target)
        if target.is_dir():
            raise TargetError(f"{target} is a folder; give the name of a file to write.")
        self._partial_path = partial_path(target)
        return av.open(f"file:{self._partial_path}", "w", options=options)

    @property
    def _suffix(self) -> str:
        return Path(self.target).suffix.lstrip(".").lower()

    def _add_video(self, size: Size, rate: Fraction, encoding: LiveEncoding) -> VideoStream:
        stream = self._container.add_stream(
            "libx264", rate=rate, options=encoding.choose_preset(size, rate).encoder_options(rate)
        )
        stream.width, stream.height, stream.pix_fmt = size.width, size.height, "yuv420p"
        stream.codec_context.time_base = self._time_base
        stream.time_base = self._time_base
        return stream

    def _add_audio(self, parameters: AudioParameters) -> AudioStream:
        try:
            return add_audio_stream(self._container, parameters)
        except (FFmpegError, ValueError) as error:
            raise TargetError(
                f"{self.target} cannot hold audio of the codec {parameters.codec} as it is; "
                "write to a Matroska file (.mkv), or leave the audio out."
            ) from error

    def _call_guarded(self, action: Callable[[], Made]) -> Made:
        try:
            return action()
        except (FFmpegError, ValueError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise TargetError(f"{self.target} cannot be written ({reason}). {self._suggest_remedy()}") from error

    def _suggest_remedy(self) -> str:
        if self._scheme:
            return "Check the address, and that a receiver listens there."
        has_partial = self._partial_path is not None and self._partial_path.exists()
        partial_notice = f" What was shown until then is in {self._partial_path}." if has_partial else ""
        return f"Check the folder, the free space and the file's ending.{partial_notice}"

    def _abandon(self) -> None:
        try:
            self._container.close()
        except (FFmpegError, ValueError, OSError) as error:
            raise RenderError(f"{self.target} could not be closed in order ({error}).") from error
        finally:
            self._end_relay()

    def _end_relay(self) -> None:
        if self._relay is None:
            return
        # The end of its input lets the relay send what it still holds; one that hangs is killed.
        cast("IO[bytes]", self._relay.stdin).close()
        wait_or_kill(self._relay, 3.0)


class _UnseekablePipe:
    """A pipe in the form of a file for PyAV: without a method `seek` it is only written forwards."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def write(self, data: bytes) -> int:
        """Write bytes to the pipe."""
        return self._pipe.write(data)


def partial_path(target: Path) -> Path:
    """Return the name that an output file has until it is complete.

    Raises:
        TargetError: it has no name, because it is the current folder or the root.
    """
    if not target.name:
        raise TargetError(f"{target} is a folder; give the name of a file to write.")
    # The suffix stays last, because FFmpeg chooses the muxer by it.
    return target.with_name(f"{target.stem}.partial{target.suffix}")


def parse_output_scheme(address: str) -> str:
    """Return the scheme of an address, or "" for a path.

    Raises:
        TargetError: the scheme is not supported.
    """
    scheme = urlsplit(address).scheme if "://" in address else ""
    if scheme not in {"", *_SCHEME_MUXERS}:
        raise TargetError(f"{address} cannot be written: outputs are files, {', '.join(_SCHEME_MUXERS)}.")
    return scheme


def _add_packet_size(target: str) -> str:
    if target.startswith("udp:") and "pkt_size" not in target:
        return f"{target}{'&' if '?' in target else '?'}pkt_size={_DATAGRAM_BYTES}"
    return target


def _start_relay(target: str) -> subprocess.Popen[bytes]:
    """Start FFmpeg's command line, which forwards a transport stream by SRT; PyAV's libraries cannot."""
    quiet = ["-hide_banner", "-loglevel", "error", "-probesize", "200000"]
    quiet += ["-analyzeduration", "400000"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), *quiet, "-f", "mpegts", "-i", "pipe:0", "-map", "0", "-c", "copy"]
    return subprocess.Popen(
        [*command, "-f", "mpegts", "-flush_packets", "1", target],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        bufsize=0,
    )
