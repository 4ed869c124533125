"""Names what would stop a source after its detection, so that it is refused before the first frame is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.errors import SourceError, TargetError
from engine.media.containers import CONTAINER_FORMATS, container_family
from engine.media.facts import MediaInfo, SizeChange
from engine.media.output.container_choice import ContainerChoice, choose_container
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
    if change.pixel_format is None:
        what, one = f"from {stored.width}x{stored.height} to {change.size.width}x{change.size.height}", "size"
    else:
        what, one = f"from {info.video.pixel_format} to {change.pixel_format}", "format"
    name = "picture size" if change.pixel_format is None else "pixel format"
    return (
        f"changes its {name}{_describe_moment(info, change)} {what}. Cut it there, or convert it to one {one} first.",
    )


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
        choice = choose_container(info.container, None, [stream.codec for stream in copied])
        check_audio_changes(info, choice)
    except TargetError as error:
        yield f"cannot be put into any container: {error}"


def check_audio_changes(info: MediaInfo, choice: ContainerChoice) -> None:
    """Refuse a container that cannot store audio whose sample rate or channels change on the way.

    Only a container in which each packet describes itself can, and the source is in one.

    Raises:
        TargetError: it cannot.
    """
    changes = any(stream.changes_format for stream in info.streams if stream.fate == "copied")
    source = container_family(info.container)
    if not changes or container_family(choice.muxer) == source:
        return
    own = next((entry.suffixes[0] for entry in CONTAINER_FORMATS if entry.family == source and entry.muxer), None)
    advice = f"choose {own}" if own else "cut the source there"
    raise TargetError(
        f"{choice.suffix} cannot hold this source's audio, whose sample rate or channels change on the way; {advice}."
    )
