"""Putting the rendered video and the source's own audio packets into one file, by FFmpeg's command line.

FFmpeg's stream copy keeps what decides which samples a player hears (edit lists, priming, padding), where muxing the
same packets through its library did not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from pathlib import Path

import av

from engine.errors import RenderError, SourceError, TargetError, VeilError
from engine.media.containers import ContainerChoice, family
from engine.media.ffmpeg import run_ffmpeg
from engine.record import SourceFacts

_FINEST_MOVIE_SCALE = 100_000_000
_NO_ROOM = ("No space left on device", "Disk quota exceeded", "File too large")
_NO_WAY = ("Permission denied", "No such file or directory", "Read-only file system", "Is a directory")


def mux(
    video: Path,
    source: Path,
    target: Path,
    facts: SourceFacts,
    choice: ContainerChoice,
    *,
    first_pts: int,
    comment: str | None = None,
) -> None:
    """Write `target` from the rendered video and every stream of the source that is to be copied.

    Packets are copied, starts relative to the video are the source's, rotation and mirroring are kept, all metadata,
    chapters, names and languages are left out; which audio stream is the default one stays. The same files give the
    same bytes.

    Args:
        video: the intermediate file of `VideoWriter`, its first frame at zero.
        facts: what the source is and which streams are copied.
        first_pts: pts of the first frame in the source's time base.
        comment: one comment tag of our own.

    Raises:
        TargetError: the target cannot be written.
        RenderError: FFmpeg cannot put these streams together.
    """
    copied = [stream.index for stream in facts.streams if stream.fate == "copied"]
    timing = _timing(source, copied, facts, choice, first_pts * Fraction(facts.video.time_base))
    arguments = [
        *_video_input(video, facts),
        *("-itsoffset", f"{float(timing.offset):.6f}", "-i", source),
        *("-copyts", "-map", "0:v:0"),
        *(part for index in copied for part in ("-map", f"1:{index}")),
        *("-c", "copy", "-bsf:v", _shifted(timing.video_start)),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
        *(() if comment is None else ("-metadata", f"comment={comment}")),
        *_muxer_options(video, choice, timing),
        *("-f", choice.muxer, "-y", target),
    ]
    done = run_ffmpeg(arguments)
    if done.returncode != 0:
        raise _translated(done.stderr, target)


@dataclass(frozen=True, slots=True)
class _Timing:
    """Where the streams go on the target's clock.

    Attributes:
        video_start: seconds at which the first frame is shown.
        offset: seconds added to the source's own clock.
        rates: ticks a second in which the source's streams count.
    """

    video_start: Fraction
    offset: Fraction
    rates: tuple[int, ...]


def _timing(
    source: Path, copied: list[int], facts: SourceFacts, choice: ContainerChoice, video_start: Fraction
) -> _Timing:
    """Keep the source's clock; a broadcast clock, which starts anywhere, begins at zero in other containers."""
    starts, rates = _starts(source, copied)
    wanders = family(facts.container) not in {"mp4", "matroska", "avi", family(choice.muxer)}
    offset = -min([video_start, *starts]) if wanders else Fraction(0)
    return _Timing(video_start + offset, offset, rates)


def _starts(source: Path, copied: list[int]) -> tuple[list[Fraction], tuple[int, ...]]:
    try:
        with av.open(str(source)) as container:
            streams = [container.streams[index] for index in copied]
            starts = [stream.start_time * stream.time_base for stream in streams if stream.start_time is not None]
            rates = {getattr(stream, "rate", None) or stream.time_base.denominator for stream in streams}
            return starts, tuple(sorted(rates))
    except (av.error.FFmpegError, OSError) as error:
        raise SourceError(f"{source} cannot be read again: {error.strerror}. Is it still there?") from error


def _video_input(video: Path, facts: SourceFacts) -> Iterator[str | Path]:
    # FFmpeg turns anticlockwise first and mirrors the outcome, Veil mirrors first and turns clockwise.
    yield from ("-display_rotation", str(_anticlockwise(facts.video.rotation, mirrored=facts.video.mirrored)))
    if facts.video.mirrored:
        yield "-display_hflip"
    yield from ("-i", video)


def _anticlockwise(rotation: int, *, mirrored: bool) -> int:
    return rotation if mirrored else -rotation


def _shifted(start: Fraction) -> str:
    """A bitstream filter that moves the video to its start, exactly: the tick divides the source's time base."""
    shift = f"round({start.numerator}/({start.denominator}*TB))"
    return f"setts=pts=PTS+{shift}:dts=DTS+{shift}"


def _muxer_options(video: Path, choice: ContainerChoice, timing: _Timing) -> list[str]:
    match family(choice.muxer):
        case "mp4":
            return _mov_options(video, timing)
        case "mpegts":
            return ["-muxdelay", "0", "-muxpreload", "0", "-mpegts_copyts", "1"]
        case _:
            return []


def _mov_options(video: Path, timing: _Timing) -> list[str]:
    """A movie clock on which every stream's start is a whole number, so that edit lists are not rounded."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        scale, codec = stream.time_base.denominator, stream.codec_context.name
    movie = lcm(scale, *timing.rates)
    clock = ["-movie_timescale", str(movie if movie <= _FINEST_MOVIE_SCALE else 1000)]
    tag = ["-tag:v", "hvc1"] if codec == "hevc" else []
    return [*clock, "-video_track_timescale", str(scale), "-write_tmcd", "0", "-strict", "-2", *tag]


def _translated(stderr: str, target: Path) -> VeilError:
    lines = stderr.strip().splitlines() or ["no message"]
    if any(sign in stderr for sign in _NO_ROOM):
        return TargetError(f"{target} cannot be finished, the disk is full; make room or choose another place.")
    if reason := next((sign for sign in _NO_WAY if sign in stderr), None):
        return TargetError(f"{target} cannot be written: {reason}. Choose another place.")
    return RenderError(f"{target} could not be put together, FFmpeg says: {lines[0]}")
