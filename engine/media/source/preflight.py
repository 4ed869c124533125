"""Names what would stop a source after its detection, so that it is refused before the first frame is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.errors import SourceError, TargetError
from engine.media.facts import MediaInfo, SizeChange
from engine.media.output.container_choice import choose_container
from engine.media.output.encoder_format import MAX_BIT_DEPTH
from engine.media.pixels import planar_format_from_name


def list_detection_obstacles(info: MediaInfo) -> tuple[str, ...]:
    """Return why no record can be made of the video, in words that follow the file's name."""
    change = info.video.size_change
    if change is None or change.aspect_ratio is None:
        return _list_decoding_obstacles(info)
    ratio = change.aspect_ratio.replace("/", ":")
    sentence = (
        f"changes its aspect ratio{_describe_moment(info, change)}: its samples are {ratio} from there on, and an "
        "output has one ratio for all frames. Cut it there, or convert it to one ratio first."
    )
    return (sentence,)


def _list_decoding_obstacles(info: MediaInfo) -> tuple[str, ...]:
    """Return why the video cannot be decoded to its end."""
    change = info.video.size_change
    if change is None or change.aspect_ratio is not None:
        return ()
    stored = info.video.stored
    sentence = (
        f"changes its picture size{_describe_moment(info, change)} from {stored.width}x{stored.height} to "
        f"{change.size.width}x{change.size.height}. Cut it there, or convert it to one size first."
    )
    return (sentence,)


def _describe_moment(info: MediaInfo, change: SizeChange) -> str:
    return "" if change.pts is None else f" {info.video.to_seconds(change.pts):.1f} s after its start"


def list_obstacles(info: MediaInfo) -> tuple[str, ...]:
    """Return why no output of the source can be made, in words that follow the file's name; empty if one can.

    A file that is cut short is not named: its missing part can be covered.
    """
    return (*list_detection_obstacles(info), *_iterate_output_obstacles(info))


def check_decodable(path: Path, info: MediaInfo, *, covers_damage: bool) -> None:
    """Refuse a source of which no record can be made.

    Raises:
        SourceError: it cannot.
    """
    for obstacle in list_detection_obstacles(info):
        raise SourceError(f"{path} {obstacle}")
    if info.cut_short and not covers_damage:
        raise SourceError(
            f"{path} is incomplete: {info.cut_short}. Use a complete copy, or allow what is missing to be covered "
            "whole (--on-damage cover)."
        )


def check_renderable(path: Path, info: MediaInfo) -> None:
    """Refuse a source of which no output can be made.

    A change of the aspect ratio is left to the detection: earlier versions made records of such sources, which still
    have to give the same output.

    Raises:
        SourceError: it cannot.
    """
    for obstacle in (*_list_decoding_obstacles(info), *_iterate_output_obstacles(info)):
        raise SourceError(f"{path} {obstacle}")


def _iterate_output_obstacles(info: MediaInfo) -> Iterator[str]:
    pixels = planar_format_from_name(info.video.pixel_format, full=info.video.colour.range == "pc")
    if pixels.bit_depth > MAX_BIT_DEPTH:
        yield (
            f"has {pixels.bit_depth} bits a sample ({info.video.pixel_format}), and encoders take at most "
            f"{MAX_BIT_DEPTH}. Convert it to {MAX_BIT_DEPTH} bits first."
        )
    copied = [stream for stream in info.streams if stream.fate == "copied"]
    if any(stream.cut_midway for stream in copied):
        yield "has audio from which an edit list cuts a part in the middle. Export it as one piece first."
    try:
        choose_container(info.container, None, [stream.codec for stream in copied])
    except TargetError as error:
        yield f"cannot be put into any container: {error}"
