"""An audio stream as samples: decoded by FFmpeg's command line, and written for it to encode without loss.

Samples are those of the decoder, in the width that it gives: 16 or 32 bit integers (narrower ones stand in the upper
bits), or 32 or 64 bit floats. Nothing is resampled, mixed or dithered.
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
from engine.media.ffmpeg import build_ffmpeg_command

SampleKind = Literal["s16", "s32", "flt", "dbl"]
Samples = NDArray[Any]
"""Samples of all channels, shape (samples, channels)."""

_KIND_BY_FORMAT: dict[str, SampleKind] = {"u8": "s16", "s16": "s16", "s32": "s32", "flt": "flt", "dbl": "dbl"}
_DTYPES: dict[SampleKind, str] = {"s16": "<i2", "s32": "<i4", "flt": "<f4", "dbl": "<f8"}
SAMPLE_BYTES: Mapping[SampleKind, int] = {"s16": 2, "s32": 4, "flt": 4, "dbl": 8}
"""How wide a sample of each kind is."""
RAW_FORMATS: Mapping[SampleKind, str] = {"s16": "s16le", "s32": "s32le", "flt": "f32le", "dbl": "f64le"}
"""FFmpeg's name of raw samples of each kind; `pcm_` stands before it in the name of the encoder."""

_BITS_PATTERN = r"^\s*Stream #0:{index}\b.* Audio: .* s32p? \((\d+) bit\)"
_SHIFT_S = 3600
"""Seconds that are added on the way through a format that stores no negative times."""

MAX_JITTER_S = Fraction(2, 1000)
"""Seconds; packets that come off by less follow each other without a gap, whatever their stamps were rounded to."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What the samples of an audio stream are.

    Attributes:
        codec: of the stream, by FFmpeg's name.
        kind: of the samples, as the decoder gives them.
        bits: of a sample that are not zero by construction.
        layout: names of the channels, as FFmpeg spells them.
        default: whether it is marked as the stream to play.
        tick_s: seconds that the file's clock for this stream can tell apart.
        stores_times: whether the container stores when packets are played; AVI does not.
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
        """The codec that holds these samples exactly in a file with that suffix, by FFmpeg's name.

        FLAC holds integers up to 24 bits; QuickTime and AVI, which do not hold FLAC well, take PCM of the same width.
        """
        match self.kind:
            case "flt" | "dbl":
                return f"pcm_{RAW_FORMATS[self.kind]}"
            case "s32" if self.bits > 24:
                return "pcm_s32le"
            case _ if format_from_suffix(suffix).lossless_audio == "pcm":
                return "pcm_s16le" if self.kind == "s16" else "pcm_s24le"
            case _:
                return "flac"


class SampleBlock(NamedTuple):
    """Samples that follow each other without a gap.

    Attributes:
        first_sample: number of the first one in its stream, from 0.
        offset_s: seconds after the origin at which sample 0 was played if no gap lay before this block.
    """

    first_sample: int
    offset_s: Fraction
    samples: Samples

    def slice_samples(self, start: int, count: int) -> SampleBlock:
        """`count` samples from the `start`-th one of this block on."""
        return SampleBlock(self.first_sample + start, self.offset_s, self.samples[start : start + count])


def read_audio_format(path: Path, index: int) -> AudioFormat:
    """What the samples of an audio stream are, from its first frame.

    Raises:
        SourceError: the file or the stream cannot be read, or its samples are of a kind nobody else has.
    """
    with _open_container(path) as container:
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
    """The samples of an audio stream, as FFmpeg's command line decodes them.

    Args:
        path: the file.
        index: of the stream in the file.
        sound: what its samples are.
        origin_s: seconds on the file's clock from which times count.

    Raises:
        SourceError: the stream cannot be decoded, or jumps back in time.
    """
    arguments: list[str | Path] = ["-itsoffset", str(_SHIFT_S), "-copyts", "-i", path, "-map", f"0:{index}"]
    arguments += ["-c:a", f"pcm_{RAW_FORMATS[sound.kind]}", "-fflags", "+bitexact", "-f", "nut", "pipe:1"]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(build_ffmpeg_command(arguments), stdout=subprocess.PIPE, stderr=complaints) as process,
    ):
        try:
            yield _read_blocks(cast("IO[bytes]", process.stdout), process, complaints, path, sound, origin_s)
        finally:
            process.kill()


class AudioWriter(Closeable):
    """Writes blocks into a file that FFmpeg's command line reads, the first sample at zero. A context manager.

    Attributes:
        start_s: seconds after the origin at which the first sample is played; None before there was one.
    """

    def __init__(self, path: Path, sound: AudioFormat) -> None:
        self._sound, self.start_s = sound, cast("Fraction | None", None)
        self._container = av.open(str(path), "w", format="nut", options={"fflags": "bitexact"})
        stream = self._container.add_stream(f"pcm_{RAW_FORMATS[sound.kind]}", rate=sound.rate, layout=sound.layout)
        self._stream = cast("AudioStream", stream)

    def write(self, block: SampleBlock) -> None:
        """Add a block."""
        rate = self._sound.rate
        if self.start_s is None:
            self.start_s = block.offset_s + Fraction(block.first_sample, rate)
        flat = np.ascontiguousarray(block.samples).reshape(1, -1)
        frame = AudioFrame.from_ndarray(flat, format=self._sound.kind, layout=self._sound.layout)
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = block.first_sample + round((block.offset_s - self.start_s) * rate)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still holds, and close the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


def _open_container(path: Path) -> InputContainer:
    try:
        return av.open(str(path))
    except av.error.FFmpegError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}. Is it a video, and complete?") from error


def _decode_first_frame(container: InputContainer, index: int) -> AudioFrame | None:
    try:
        return cast("AudioFrame | None", next(container.decode(container.streams[index]), None))
    except av.error.FFmpegError:
        # That there is none is said by whoever asked.
        return None


def _read_significant_bits(path: Path, index: int) -> int:
    """Significant bits of 32-bit samples: what FFmpeg's command line says, all where it says nothing."""
    command = build_ffmpeg_command(["-i", path], "info")
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    found = re.search(_BITS_PATTERN.format(index=index), done.stderr, re.MULTILINE)
    return int(found[1]) if found else 32


def _read_blocks(  # noqa: PLR0913, PLR0917 - the process and what comes out of it
    pipe: IO[bytes], process: subprocess.Popen[bytes], complaints: IO[bytes], path: Path, sound: AudioFormat,
    origin: Fraction,
) -> Iterator[SampleBlock]:  # fmt: skip
    try:
        with av.open(pipe, "r", format="nut") as container:
            yield from _assign_times(container, path, sound, origin + _SHIFT_S)
    except av.error.FFmpegError as error:
        raise SourceError(
            f"The audio of {path} cannot be decoded: {_read_first_line(complaints) or error.strerror}."
        ) from error
    if process.wait() != 0:
        raise SourceError(f"The audio of {path} cannot be decoded, FFmpeg says: {_read_first_line(complaints)}")


def _assign_times(container: InputContainer, path: Path, sound: AudioFormat, origin: Fraction) -> Iterator[SampleBlock]:
    first, offset = 0, cast("Fraction | None", None)
    jitter = max(2 * sound.tick_s, MAX_JITTER_S)
    for packet in container.demux(audio=0):
        if not packet.size or packet.pts is None or packet.time_base is None:
            continue
        found = packet.pts * packet.time_base - origin - Fraction(first, sound.rate)
        samples = np.frombuffer(bytes(packet), _DTYPES[sound.kind]).reshape(-1, sound.channels)
        if offset is not None and sound.stores_times and (offset - found) * sound.rate > len(samples):
            at = float(found + Fraction(first, sound.rate))
            raise SourceError(f"An audio stream of {path} jumps back in time at {at:.3f} s, so it cannot be changed.")
        if offset is None or (sound.stores_times and abs(found - offset) > jitter):
            offset = found
        yield SampleBlock(first, offset, samples)
        first += len(samples)


def _read_first_line(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    lines = complaints.read().decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else ""
