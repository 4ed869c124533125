"""Muxes the rendered video and the source's own audio packets into one file, with FFmpeg's command line.

FFmpeg's stream copy keeps what decides which samples a player hears: edit lists, priming and padding. Muxing the same
AAC packets through PyAV kept every packet, but lost the padding of the last one and 32 samples of a rounded edit list.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Literal

from av.audio.stream import AudioStream
from av.stream import Stream

from engine.errors import RenderError, TargetError, VeilError
from engine.media.audio_samples import AudioFormat
from engine.media.codec_headers import blank_header_texts, has_header_text
from engine.media.containers import container_family
from engine.media.ffmpeg import run_ffmpeg
from engine.media.local_file import open_local_file
from engine.media.output.container_choice import ContainerChoice
from engine.record import SourceFacts

_FINEST_MOVIE_SCALE = 100_000_000
_COARSE_MOVIE_SCALE = 1_000_000
"""Ticks a second of a movie's clock if a common multiple of all streams' clocks would be finer than the finest."""
MuxRules = Literal[1, 2]
"""1: the rules of Veil 0.1.0, by which its outputs are verified. 2: what an edit list cuts off is left out, text in the
headers of codecs is blanked, and a clock that starts late, such as the time of day, starts at zero."""
CURRENT_MUX_RULES: MuxRules = 2
_FRAGMENTED = ("-movflags", "frag_keyframe+empty_moov+delay_moov")
"""The edit list waits for the first packets, so that it knows the priming of the audio."""
_MAX_LATE_START_S = 10
"""A clock that starts later than a muxer's delay explains can say when the recording was made."""
_DISK_FULL_MESSAGES = ("No space left on device", "Disk quota exceeded", "File too large")
_PATH_ERROR_MESSAGES = ("Permission denied", "No such file or directory", "Read-only file system", "Is a directory")


@dataclass(frozen=True, slots=True)
class ReplacementTrack:
    """An audio stream that replaces one of the source's.

    Attributes:
        path: file of `AudioWriter`.
        audio_format: format of its samples.
        start_s: seconds after the first video frame at which it starts.
        codec: FFmpeg's name of a lossless codec.
    """

    path: Path
    audio_format: AudioFormat
    start_s: Fraction
    codec: str


@dataclass(frozen=True, slots=True)
class MuxInputs:
    """The inputs of an output.

    Attributes:
        video: the intermediate file of `VideoWriter`, its first frame at zero.
        source: the original; every stream with the fate "copied" in `facts` is taken from it.
        facts: the facts of the source, with the fate of each stream.
        first_pts: pts of the first frame in the source's time base.
        tracks: replacement tracks by index of the source's stream.
        cut_streams: files of `write_cut_streams`, by index of the source's stream.
        rules: how to put the streams together.
    """

    video: Path
    source: Path
    facts: SourceFacts
    first_pts: int
    tracks: Mapping[int, ReplacementTrack] = field(default_factory=dict)
    cut_streams: Mapping[int, Path] = field(default_factory=dict)
    rules: MuxRules = CURRENT_MUX_RULES

    @property
    def copied_indices(self) -> list[int]:
        """Return the indices of the source's streams that go into the output."""
        return [stream.index for stream in self.facts.streams if stream.fate == "copied"]

    @property
    def video_start_s(self) -> Fraction:
        """Return the seconds on the source's clock at which the first frame is shown."""
        return self.first_pts * Fraction(self.facts.video.time_base)


def mux(inputs: MuxInputs, target: Path, choice: ContainerChoice, *, comment: str | None = None) -> None:
    """Write `target` from the rendered video and the packets of the source's streams that are copied.

    Starts relative to the video stay those of the source, to the container's resolution. Rotation, mirroring and the
    mark of the default audio stream are kept; all other metadata, chapters, names and languages are left out, except
    `comment`. The same files give the same bytes.

    Args:
        inputs: the rendered video, the source and what is known about it.
        target: the file to write.
        choice: the container of the target.
        comment: the only tag that the output carries.

    Raises:
        SourceError: the source or the rendered video is no longer readable.
        TargetError: the target cannot be written.
        RenderError: FFmpeg cannot put these streams together.
    """
    timing = _plan_timing(inputs, choice)
    headers = _read_headers_with_text(inputs) if inputs.rules >= 2 else []
    arguments = [
        *_video_input_args(inputs),
        *("-itsoffset", f"{float(timing.offset_s):.6f}", "-i", inputs.source),
        *_track_input_args(inputs, timing),
        *_cut_input_args(inputs, timing),
        *("-copyts", "-map", "0:v:0"),
        *_map_args(inputs),
        *("-c", "copy", "-bsf:v", _build_shift_filter(timing.video_start_s)),
        *_track_codec_args(inputs),
        # Without bitexact the muxer writes its version into the file.
        *("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
        *(() if comment is None else ("-metadata", f"comment={comment}")),
        *_muxer_options(inputs, choice, timing),
        # A checksum over the headers would no longer fit after they are blanked.
        *(("-write_crc32", "0") if headers and container_family(choice.muxer).name == "matroska" else ()),
        *("-f", choice.muxer, "-y", target),
    ]
    done = run_ffmpeg(arguments)
    if done.returncode != 0:
        raise _error_from_stderr(done.stderr, target)
    if headers:
        blank_header_texts(target, headers)


@dataclass(frozen=True, slots=True)
class _TargetTiming:
    """The position of the streams on the target's clock.

    Attributes:
        video_start_s: seconds at which the first frame is shown.
        offset_s: seconds added to the source's own clock.
        tick_rates: ticks a second in which the copied streams count.
    """

    video_start_s: Fraction
    offset_s: Fraction
    tick_rates: tuple[int, ...]


def _plan_timing(inputs: MuxInputs, choice: ContainerChoice) -> _TargetTiming:
    """Keep the source's clock, but let a broadcast clock, which starts anywhere, begin at zero in another container."""
    starts, rates = _read_clocks(inputs)
    source, target = container_family(inputs.facts.container), container_family(choice.muxer)
    keeps_clock = source.starts_near_zero or source == target
    first = min([inputs.video_start_s, *starts])
    offset = Fraction(0) if keeps_clock else -first
    if inputs.rules >= 2 and keeps_clock and first > _MAX_LATE_START_S:
        # FFmpeg takes an offset in whole microseconds; the video must be moved by exactly the same.
        offset = -Fraction(math.floor(first * 1_000_000), 1_000_000)
    return _TargetTiming(inputs.video_start_s + offset, offset, rates)


def _read_clocks(inputs: MuxInputs) -> tuple[list[Fraction], tuple[int, ...]]:
    """Return the starts of the copied streams, in seconds, and the ticks a second of their clocks."""
    with open_local_file(inputs.source) as container:
        streams = [container.streams[index] for index in inputs.copied_indices]
        starts = [stream.start_time * _read_time_base(stream) for stream in streams if stream.start_time is not None]
        rates = {
            stream.rate if isinstance(stream, AudioStream) else _read_time_base(stream).denominator
            for stream in streams
        }
        return starts, tuple(sorted(rates))


def _read_headers_with_text(inputs: MuxInputs) -> list[tuple[str, bytes]]:
    """Return codec and header of each copied audio stream whose header holds text."""
    with open_local_file(inputs.source) as container:
        streams = [container.streams[index] for index in inputs.copied_indices if index not in inputs.tracks]
        contexts = [stream.codec_context for stream in streams if isinstance(stream, AudioStream)]
        headers = [(context.codec.canonical_name, context.extradata or b"") for context in contexts if context]
    return [(codec, extradata) for codec, extradata in headers if has_header_text(codec, extradata)]


def _read_time_base(stream: Stream) -> Fraction:
    assert stream.time_base is not None
    return stream.time_base


def _video_input_args(inputs: MuxInputs) -> Iterator[str | Path]:
    """Yield the arguments for the rendered video with the source's display matrix."""
    # FFmpeg turns anticlockwise, and mirrors after it has turned; Veil turns clockwise, after mirroring.
    rotation, mirrored = inputs.facts.video.rotation, inputs.facts.video.mirrored
    yield from ("-display_rotation", str(rotation if mirrored else -rotation))
    if mirrored:
        yield "-display_hflip"
    yield from ("-i", inputs.video)


def _track_input_args(inputs: MuxInputs, timing: _TargetTiming) -> Iterator[str | Path]:
    """Yield the arguments for the files that replace audio streams."""
    for track in inputs.tracks.values():
        # The files store only the number of channels, not their layout.
        if track.audio_format.channels > 2 and " channels" not in track.audio_format.layout:
            yield from ("-channel_layout", track.audio_format.layout)
        yield from ("-itsoffset", f"{float(timing.video_start_s + track.start_s):.6f}", "-i", track.path)


def _cut_input_args(inputs: MuxInputs, timing: _TargetTiming) -> Iterator[str | Path]:
    for index, path in inputs.cut_streams.items():
        if index not in inputs.tracks:
            yield from ("-itsoffset", f"{float(timing.offset_s):.6f}", "-i", path)


def _map_args(inputs: MuxInputs) -> Iterator[str]:
    """Map the audio streams in the source's order, each from its file."""
    # The inputs are the video, the source, and the files of single streams in the order of the arguments above.
    single = [*inputs.tracks, *(index for index in inputs.cut_streams if index not in inputs.tracks)]
    for index in inputs.copied_indices:
        yield from ("-map", f"{2 + single.index(index)}:0" if index in single else f"1:{index}")


def _track_codec_args(inputs: MuxInputs) -> Iterator[str]:
    for place, index in enumerate(inputs.copied_indices):
        if (track := inputs.tracks.get(index)) is not None:
            yield from (f"-c:a:{place}", track.codec, f"-metadata:s:a:{place}", "encoder=")
            yield from (f"-disposition:a:{place}", "default" if track.audio_format.default else "0")
            if track.audio_format.kind == "s32" and track.codec == "flac":
                yield from (f"-bits_per_raw_sample:a:{place}", "24")


def _build_shift_filter(start: Fraction) -> str:
    """Build a bitstream filter that moves the video to its start, rounded to a tick of the target."""
    shift = f"round({start.numerator}/({start.denominator}*TB))"
    return f"setts=pts=PTS+{shift}:dts=DTS+{shift}"


def _muxer_options(inputs: MuxInputs, choice: ContainerChoice, timing: _TargetTiming) -> list[str]:
    match container_family(choice.muxer).name:
        case "mp4":
            return [*_mov_options(inputs.video, timing), *(_FRAGMENTED if choice.fragmented else ())]
        case "mpegts":
            return ["-muxdelay", "0", "-muxpreload", "0", "-mpegts_copyts", "1"]
        case "avi":
            # AVI counts frames. The source's time base is the length of one; FFmpeg would guess another rate.
            return ["-r:v", str(1 / Fraction(inputs.facts.video.time_base))]
        case _:
            return []


def _mov_options(video: Path, timing: _TargetTiming) -> list[str]:
    """Choose a movie clock on which every stream's start is a whole number of ticks, so that edit lists are exact."""
    with open_local_file(video) as container:
        stream = container.streams.video[0]
        scale, codec = _read_time_base(stream).denominator, stream.codec_context.name
    movie = lcm(scale, *timing.tick_rates)
    clock = ["-movie_timescale", str(movie if movie <= _FINEST_MOVIE_SCALE else _COARSE_MOVIE_SCALE)]
    tag = ["-tag:v", "hvc1"] if codec == "hevc" else []
    # FFmpeg calls Opus and FLAC in MP4 experimental, and players look for HEVC under the tag hvc1.
    return [*clock, "-video_track_timescale", str(scale), "-write_tmcd", "0", "-strict", "experimental", *tag]


def _error_from_stderr(stderr: str, target: Path) -> VeilError:
    lines = stderr.strip().splitlines() or ["no message"]
    # FFmpeg has one exit code for all failures, so the cause is in its messages.
    if any(sign in stderr for sign in _DISK_FULL_MESSAGES):
        return TargetError(
            f"{target.name} cannot be finished, because the disk is full; make room or choose another place."
        )
    if reason := next((sign for sign in _PATH_ERROR_MESSAGES if sign in stderr), None):
        return TargetError(f"{target.name} cannot be written: {reason}. Choose another place.")
    return RenderError(f"{target.name} could not be put together, FFmpeg says: {lines[0]}")
