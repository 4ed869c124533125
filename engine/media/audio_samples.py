"""Reads audio streams as samples, decoded by FFmpeg's command line, and writes samples for it to encode.

Samples are those of the decoder, in its own width: 16 or 32 bit integers (narrower ones fill the upper bits), or 32 or
64 bit floats. Nothing is resampled, mixed or dithered.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from numpy.typing import NDArray

from engine.core.closeable import Closeable
from engine.errors import SourceError
from engine.media.containers import container_family, format_from_suffix
from engine.media.ffmpeg import build_ffmpeg_command, kill_if_stuck, run_ffmpeg
from engine.media.local_file import local_url, open_local_file

SampleKind = Literal["s16", "s32", "flt", "dbl"]
Samples = NDArray[Any]
"""Samples of all channels, shape (samples, channels)."""

_KIND_BY_FORMAT: dict[str, SampleKind] = {"u8": "s16", "s16": "s16", "s32": "s32", "flt": "flt", "dbl": "dbl"}
_DTYPES: dict[SampleKind, str] = {"s16": "<i2", "s32": "<i4", "flt": "<f4", "dbl": "<f8"}
SAMPLE_BYTES: Mapping[SampleKind, int] = {"s16": 2, "s32": 4, "flt": 4, "dbl": 8}
"""Bytes of a sample of each kind."""
RAW_FORMATS: Mapping[SampleKind, str] = {"s16": "s16le", "s32": "s32le", "flt": "f32le", "dbl": "f64le"}
"""FFmpeg's name of raw samples of each kind; the encoder's name is that with the prefix `pcm_`."""

_BITS_PATTERN = r"^\s*Stream #0:{index}\b.* Audio: .* s32p? \((\d+) bit\)"
_SHIFT_S = 3600
"""Added to all times while they pass through a format that stores no negative times."""

MAX_JITTER_S = Fraction(2, 1000)
"""Packets whose times deviate by less follow each other without a gap: containers round times to milliseconds."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Format of the samples of an audio stream.

    Attributes:
        codec: FFmpeg's name of the stream's codec.
        kind: type of the samples, as the decoder gives them.
        bits: significant bits of a sample.
        rate: samples a second of one channel.
        channels: number of channels.
        layout: FFmpeg's name of the arrangement of channels.
        default: the stream is marked as the one to play.
        tick_s: resolution of the stream's clock in the file, in seconds.
        stores_times: the container stores when packets are played; AVI does not.
    """

    codec: str
    kind: SampleKind
    bits: int
    rate: int
    channels: int
    layout: str
    default: bool
    tick_s: Fraction
    stores_times: bool

    def choose_lossless_codec(self, suffix: str) -> str:
        """Return FFmpeg's name of a codec that holds these samples exactly in a file with that suffix.

        FLAC holds integers up to 24 bits; containers that do not hold FLAC reliably get PCM of the same width.
        """
        match self.kind:
            case "flt" | "dbl":
                return f"pcm_{RAW_FORMATS[self.kind]}"
            # FLAC ends at 24 bits; of 32-bit samples many use only 24.
            case "s32" if self.bits > 24:
                return "pcm_s32le"
            case _ if format_from_suffix(suffix).lossless_audio == "pcm":
                return "pcm_s16le" if self.kind == "s16" else "pcm_s24le"
            case _:
                return "flac"


class SampleBlock(NamedTuple):
    """Samples that follow each other without a gap.

    Attributes:
        first_sample: number of the block's first sample in its stream, from 0.
        offset_s: seconds after the origin at which sample 0 would be played if there were no gap before this block.
        samples: shape (samples, channels).
    """

    first_sample: int
    offset_s: Fraction
    samples: Samples

    def slice_samples(self, start: int, count: int) -> SampleBlock:
        """Return `count` samples of this block from sample `start` on."""
        return SampleBlock(self.first_sample + start, self.offset_s, self.samples[start : start + count])


def read_audio_format(path: Path, index: int) -> AudioFormat:
    """Read the format of an audio stream's samples from its first frame.

    Raises:
        SourceError: the file or the stream cannot be read, or its samples are of an unsupported kind.
    """
    with open_local_file(path) as container:
        stream = container.streams[index]
        frame = _decode_first_frame(container, index)
        name = "" if frame is None else frame.format.name.removesuffix("p")
        if frame is None or name not in _KIND_BY_FORMAT:
            reason = "not one sample of it can be decoded" if frame is None else f"its samples are of the kind {name}"
            raise SourceError(f"The audio stream {index} of {path} cannot be changed: {reason}.")
        return AudioFormat(
            codec=stream.codec_context.codec.canonical_name,
            kind=_KIND_BY_FORMAT[name],
            bits=_read_significant_bits(path, index) if name == "s32" else 8 * SAMPLE_BYTES[_KIND_BY_FORMAT[name]],
            rate=frame.sample_rate,
            channels=frame.layout.nb_channels,
            layout=frame.layout.name,
            default=bool(stream.disposition & Disposition.default),
            tick_s=cast("Fraction", stream.time_base),
            stores_times=container_family(container.format.name).stores_pts,
        )


@contextmanager
def decode_audio(path: Path, index: int, sound: AudioFormat, origin_s: Fraction) -> Iterator[Iterator[SampleBlock]]:
    """Decode the samples of an audio stream with FFmpeg's command line.

    Args:
        path: the file.
        index: index of the stream in the file.
        sound: format of its samples.
        origin_s: seconds on the file's clock at which times start to count.

    Raises:
        SourceError: the stream cannot be decoded, or jumps back in time.
    """
    # NUT stores times as finely as samples, but no negative ones, so everything is shifted on the way.
    arguments: list[str | Path] = ["-itsoffset", str(_SHIFT_S), "-copyts", "-i", path, "-map", f"0:{index}"]
    arguments += ["-c:a", f"pcm_{RAW_FORMATS[sound.kind]}", "-fflags", "+bitexact", "-f", "nut", "pipe:1"]
    with (
        # A file, not a pipe: a pipe of errors that nothing reads would fill up and stop FFmpeg.
        tempfile.TemporaryFile() as error_log,
        subprocess.Popen(build_ffmpeg_command(arguments), stdout=subprocess.PIPE, stderr=error_log) as process,
        kill_if_stuck(process),
    ):
        try:
            yield _read_blocks(cast("IO[bytes]", process.stdout), process, error_log, path, sound, origin_s)
        finally:
            # The caller may stop early, for example at the end of an excerpt; FFmpeg would then wait to write for ever.
            process.kill()


class AudioWriter(Closeable):
    """Writes blocks to a file that FFmpeg's command line reads, with the first sample at zero. A context manager.

    Attributes:
        start_s: seconds after the origin at which the first sample is played; None before the first block.
    """

    def __init__(self, path: Path, sound: AudioFormat) -> None:
        self._sound, self.start_s = sound, cast("Fraction | None", None)
        self._container = av.open(local_url(path), "w", format="nut", options={"fflags": "bitexact"})
        stream = self._container.add_stream(f"pcm_{RAW_FORMATS[sound.kind]}", rate=sound.rate, layout=sound.layout)
        self._stream = cast("AudioStream", stream)

    def write(self, block: SampleBlock) -> None:
        """Append a block."""
        rate = self._sound.rate
        if self.start_s is None:
            self.start_s = block.offset_s + Fraction(block.first_sample, rate)
        # PyAV takes packed samples as one row.
        flat = np.ascontiguousarray(block.samples).reshape(1, -1)
        frame = AudioFrame.from_ndarray(flat, format=self._sound.kind, layout=self._sound.layout)
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = block.first_sample + round((block.offset_s - self.start_s) * rate)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still holds, and close the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


def _decode_first_frame(container: InputContainer, index: int) -> AudioFrame | None:
    try:
        return cast("AudioFrame | None", next(container.decode(container.streams[index]), None))
    except av.error.FFmpegError:
        # The caller reports that there is none.
        return None


def _read_significant_bits(path: Path, index: int) -> int:
    """Return the significant bits of 32-bit samples; all 32 if FFmpeg states nothing else."""
    # PyAV does not expose the number, so it is taken from the description that FFmpeg's command line prints.
    done = run_ffmpeg(["-i", path], "info")
    match = re.search(_BITS_PATTERN.format(index=index), done.stderr, re.MULTILINE)
    return int(match[1]) if match else 32


def _read_blocks(  # noqa: PLR0913, PLR0917  the process, its outputs and what they hold
    pipe: IO[bytes], process: subprocess.Popen[bytes], error_log: IO[bytes], path: Path, sound: AudioFormat,
    origin: Fraction,
) -> Iterator[SampleBlock]:  # fmt: skip
    try:
        with av.open(pipe, "r", format="nut") as container:
            yield from _assign_times(container, path, sound, origin + _SHIFT_S)
    except av.error.FFmpegError as error:
        raise SourceError(
            f"The audio of {path} cannot be decoded: {_read_first_line(error_log) or error.strerror}."
        ) from error
    if process.wait() != 0:
        raise SourceError(f"The audio of {path} cannot be decoded, FFmpeg says: {_read_first_line(error_log)}")


def _assign_times(container: InputContainer, path: Path, sound: AudioFormat, origin: Fraction) -> Iterator[SampleBlock]:
    first, offset = 0, cast("Fraction | None", None)
    jitter = max(2 * sound.tick_s, MAX_JITTER_S)
    for packet in container.demux(audio=0):
        if not packet.size or packet.pts is None or packet.time_base is None:
            continue
        # When sample 0 would have been played if there were no gap up to this packet: constant without gaps.
        packet_offset = packet.pts * packet.time_base - origin - Fraction(first, sound.rate)
        samples = np.frombuffer(bytes(packet), _DTYPES[sound.kind]).reshape(-1, sound.channels)
        if offset is not None and sound.stores_times and (offset - packet_offset) * sound.rate > len(samples):
            at = float(packet_offset + Fraction(first, sound.rate))
            raise SourceError(f"An audio stream of {path} jumps back in time at {at:.3f} s, so it cannot be changed.")
        # Rounding in the container makes the offset jitter. Only a larger change is a gap or an overlap.
        if offset is None or (sound.stores_times and abs(packet_offset - offset) > jitter):
            offset = packet_offset
        yield SampleBlock(first, offset, samples)
        first += len(samples)


def _read_first_line(error_log: IO[bytes]) -> str:
    error_log.seek(0)
    lines = error_log.read().decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else ""
