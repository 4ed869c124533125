"""Decides which streams, chapters and tags of a source an output keeps, with a reason for people.

Everything that can identify a person or place is dropped by default: only the anonymised video and the audio remain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from av.container import InputContainer
from av.stream import DataStream, Disposition, Stream
from av.video.stream import VideoStream

from engine.media.containers import PCM_CODECS
from engine.media.facts import ExtraItem
from engine.record import Fate

_DROP_REASONS = {
    "subtitle": "subtitles can name people and repeat what was said in confidence",
    "data": "data and telemetry tracks can hold places, times and devices",
    "attachment": "attached files can hold anything",
}
_UNKNOWN_STREAM_REASON = "it is unknown what this stream holds"
_IDENTIFYING_TAGS = (
    (("location", "gps", "xyz", "geo", "place"), "it can say where the video was taken"),
    (("make", "model"), "it can say with which device or program the video was made"),
    (("time", "date", "year"), "it can say when the video was taken"),
    (("device", "encoder", "software", "camera", "lens", "serial", "android", "handler"),
     "it can say with which device or program the video was made"),
)  # fmt: skip
_START_PACKETS = {
    "aac": (1, 3), "mp3": (2, 2), "opus": (4, 4), "alac": (0, 0), "flac": (0, 0),
    **dict.fromkeys(PCM_CODECS | {"pcm_u8", "pcm_alaw", "pcm_mulaw"}, (0, 0)),
}  # fmt: skip
"""For each audio codec the number of packets that a decoder needs before the first one that is heard, and the largest
number that encoders put before a recording; 1 and 1 for other codecs."""
_STRUCTURAL_TAGS = frozenset({"major_brand", "minor_version", "compatible_brands", "vendor_id", "language", "duration"})
_DEFAULT_TAG_REASON = "it can name people, places or cases"


def is_cover_picture(stream: VideoStream) -> bool:
    """Return whether a video stream is a cover or thumbnail rather than a video."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def choose_fate(stream: Stream, chosen: VideoStream, *, alpha: bool) -> tuple[Fate, str]:
    """Return what becomes of a stream, and the reason."""
    if stream.index == chosen.index:
        lost = "; its alpha channel is dropped, because no player-ready encoder keeps it" if alpha else ""
        return "rendered", f"this is the video in which faces are covered{lost}"
    if stream.type == "audio" and read_codec_name(stream) == "unknown":
        return "dropped", "FFmpeg cannot decode this audio, so nothing could show that a copy is unchanged"
    if stream.type == "audio":
        return "copied", "audio stays the original, packet for packet"
    if isinstance(stream, VideoStream):
        if is_cover_picture(stream):
            return "dropped", "a cover picture can show the face that the video hides"
        return "dropped", "only one video stream is anonymised; a second one could show the same faces"
    return "dropped", _DROP_REASONS.get(stream.type, _UNKNOWN_STREAM_REASON)


def count_cut_packets(codec: str, cut_runs: Sequence[tuple[int, int]]) -> int:
    """Return how many packets to leave out at the beginning of an audio stream that an edit list cuts.

    FFmpeg hands out up to a second of what lies before the cut, which would stay in the output. The packets that the
    decoder needs to start are kept.

    Args:
        codec: FFmpeg's name of the codec.
        cut_runs: first and one past the last number of the packets that the edit list cuts off, run by run.
    """
    if not cut_runs or cut_runs[0][0] > 0:
        return 0
    needed, priming = _START_PACKETS.get(codec, (1, 1))
    # An edit list also cuts off what an encoder puts before the recording; that is part of the stream.
    return cut_runs[0][1] - needed if cut_runs[0][1] > priming else 0


def read_codec_name(stream: Stream) -> str:
    """Return FFmpeg's name of the codec (not of one of its decoders), or "unknown" if it has none."""
    if isinstance(stream, DataStream):
        return stream.name or "unknown"
    decoder = getattr(stream, "codec_context", None)  # PyAV's stub says that every stream has one
    return decoder.codec.canonical_name if decoder else "unknown"


def list_extras(container: InputContainer) -> tuple[ExtraItem, ...]:
    """List the chapters and metadata tags of the file and its streams by name; values are never read out."""
    return tuple(_iterate_extras(container))


def _iterate_extras(container: InputContainer) -> Iterator[ExtraItem]:
    chapters = len(container.chapters())
    if chapters:
        yield ExtraItem(
            "chapters", f"{chapters} chapters", "dropped", "chapter titles can name people, places or cases"
        )
    for key in sorted(container.metadata):
        yield ExtraItem("metadata", key, "dropped", _explain_drop(key))
    for stream in container.streams:
        for key in sorted(stream.metadata):
            yield ExtraItem("metadata", f"stream {stream.index}: {key}", "dropped", _explain_drop(key))


def _explain_drop(key: str) -> str:
    # Unknown tags are dropped as well; the words only choose the reason that a person reads.
    lowered = key.lower().removeprefix("com.apple.quicktime.")
    if lowered in _STRUCTURAL_TAGS:
        return "it describes the old container; the new one has its own"
    return next(
        (reason for words, reason in _IDENTIFYING_TAGS if any(word in lowered for word in words)), _DEFAULT_TAG_REASON
    )
