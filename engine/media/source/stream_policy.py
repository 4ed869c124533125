"""What becomes of each stream, chapter and tag of a source, and why, in a person's words."""

from __future__ import annotations

from collections.abc import Iterator

from av.container import InputContainer
from av.stream import DataStream, Disposition, Stream
from av.video.stream import VideoStream

from engine.media.facts import Extra
from engine.record import Fate

_DROPPED = {
    "subtitle": "subtitles can name people and repeat what was said in confidence",
    "data": "data and telemetry tracks can hold places, times and devices",
    "attachment": "attached files can hold anything",
}
_UNKNOWN = "nobody can say what this stream holds"
_TELLS = (
    (("location", "gps", "xyz", "geo", "place"), "it can say where the video was taken"),
    (("time", "date", "year"), "it can say when the video was taken"),
    (("make", "model", "device", "encoder", "software", "camera", "lens", "serial", "android", "quicktime", "handler"),
     "it can say with which device or program the video was made"),
)  # fmt: skip
_STRUCTURE = frozenset({"major_brand", "minor_version", "compatible_brands", "vendor_id", "language", "duration"})
_MAY_IDENTIFY = "it can name people, places or cases"


def is_picture(stream: VideoStream) -> bool:
    """Whether a video stream is a cover or thumbnail rather than a video."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def of(stream: Stream, chosen: VideoStream, *, alpha: bool) -> tuple[Fate, str]:
    """What becomes of a stream, and why."""
    if stream.index == chosen.index:
        lost = "; its alpha channel is dropped, because no player-ready encoder keeps it" if alpha else ""
        return "rendered", f"this is the video in which faces are covered{lost}"
    if stream.type == "audio":
        return "copied", "audio stays the original, packet for packet"
    if isinstance(stream, VideoStream):
        if is_picture(stream):
            return "dropped", "a cover picture can show the face that the video hides"
        return "dropped", "only one video stream is anonymised; a second one could show the same faces"
    return "dropped", _DROPPED.get(stream.type, _UNKNOWN)


def codec_name(stream: Stream) -> str:
    """FFmpeg's name of the codec (not of one of its decoders), "unknown" when it has none."""
    if isinstance(stream, DataStream):
        return stream.name or "unknown"
    decoder = getattr(stream, "codec_context", None)  # PyAV's stub forgets that there may be none
    return decoder.codec.canonical_name if decoder else "unknown"


def extras(container: InputContainer) -> tuple[Extra, ...]:
    """Chapters and metadata tags, of the file and of its streams; names only, never values."""
    return tuple(_extras(container))


def _extras(container: InputContainer) -> Iterator[Extra]:
    chapters = len(container.chapters())
    if chapters:
        yield Extra("chapters", f"{chapters} chapters", "dropped", "chapter titles can name people, places or cases")
    for key in sorted(container.metadata):
        yield Extra("metadata", key, "dropped", _why(key))
    for stream in container.streams:
        for key in sorted(stream.metadata):
            yield Extra("metadata", f"stream {stream.index}: {key}", "dropped", _why(key))


def _why(key: str) -> str:
    lowered = key.lower()
    if lowered in _STRUCTURE:
        return "it describes the old container; the new one has its own"
    return next((reason for words, reason in _TELLS if any(word in lowered for word in words)), _MAY_IDENTIFY)
