"""What a finished file holds: hashes and starts of its audio, and everything that could identify somebody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import av
import msgspec
from av.container import InputContainer
from av.stream import Disposition, Stream

from engine.errors import SourceError
from engine.media.ffmpeg import run_ffmpeg
from engine.record import Count, Document, Ratio, Sha256, format_ratio

SignedRatio = Annotated[str, msgspec.Meta(pattern="^-?[0-9]+/[1-9][0-9]*$", description="numerator/denominator")]

_HASH_LINE = re.compile(r"^(\d+),\w,SHA256=([0-9a-f]{64})$", re.MULTILINE)
_STRUCTURAL_TAGS = frozenset({"major_brand", "minor_version", "compatible_brands", "duration"})
_NEUTRAL_TAGS = frozenset({
    ("handler_name", "VideoHandler"),
    ("handler_name", "SoundHandler"),
    ("language", "und"),
    ("encoder", "Lavf"),
    ("vendor_id", "[0][0][0][0]"),
    ("vendor_id", "FFMP"),
})  # fmt: skip


class AudioFingerprint(Document, frozen=True):
    """An audio stream by what is stored, what is heard, and when.

    Attributes:
        index: stream index in the file.
        packets: hash of the codec's payload, without the framing that only a container asks for (ADTS).
        decoded: hash of the 16-bit samples that FFmpeg's command line decodes.
        start: seconds from the first video frame to the stream's first packet, negative when it comes before; None
            when the stream is empty.
        tick: seconds that the file's clock for this stream can tell apart.
    """

    index: Count
    codec: str
    packets: Sha256
    decoded: Sha256
    start: SignedRatio | None
    tick: Ratio


class Tag(Document, frozen=True):
    """A metadata tag; `stream` is the index of the stream that carries it, None for the file and its chapters."""

    stream: int | None
    name: str
    value: str


class StreamContent(Document, frozen=True):
    """A stream by its kind, "video", "audio", "subtitle", "data", "attachment" or "unknown"; `picture` is cover art."""

    index: Count
    kind: str
    codec: str
    picture: bool


class FileContents(Document, frozen=True):
    """Everything in a file that a person should know of before it leaves the house."""

    streams: tuple[StreamContent, ...]
    chapters: Count
    tags: tuple[Tag, ...]

    @property
    def identifying_tags(self) -> tuple[Tag, ...]:
        """The tags that are more than structure: titles, dates, devices, places, languages, names of programs."""
        return tuple(tag for tag in self.tags if not _is_structural(tag))


def fingerprint_audio(
    path: Path, indices: Sequence[int] | None = None, *, video_start: Fraction | None = None
) -> tuple[AudioFingerprint, ...]:
    """Fingerprints of audio streams, in one run of FFmpeg.

    Args:
        path: the file.
        indices: stream indices; all audio streams when left out.
        video_start: seconds on the file's clock at which the first frame is shown, as a record knows it; what the
            container declares when left out, which in a recording that begins in mid-scene is too early.

    Raises:
        SourceError: the file cannot be read or a stream cannot be decoded.
    """
    with _open_container(path) as container:
        chosen = [stream.index for stream in container.streams.audio] if indices is None else list(indices)
        codecs = [_canonical_codec(container.streams[index]) for index in chosen]
        ticks = [_read_time_base(container.streams[index]) for index in chosen]
        starts = _measure_starts(container, chosen, video_start) if chosen else []
    hashes = _hash_streams(path, chosen, codecs) if chosen else []
    rows = zip(chosen, codecs, hashes, starts, ticks, strict=True)
    return tuple(
        AudioFingerprint(
            index, codec, packets, decoded, None if start is None else format_ratio(start), format_ratio(tick)
        )
        for index, codec, (packets, decoded), start, tick in rows
    )


def list_audio_streams(path: Path) -> tuple[tuple[int, ...], Fraction]:
    """Indices of a file's audio streams, and when its clock says that the video starts, in seconds.

    Raises:
        SourceError: the file cannot be read.
    """
    with _open_container(path) as container:
        return tuple(stream.index for stream in container.streams.audio), _read_declared_start(container)


def describe_audio_changes(source: AudioFingerprint, output: AudioFingerprint) -> list[str]:
    """What is not the same in a copied stream, in words; empty when it is the original.

    Starts are compared as finely as the coarser clock of the two files can tell.
    """
    changes = []
    if source.packets != output.packets:
        changes.append("other packets")
    if source.decoded != output.decoded:
        changes.append("other samples")
    if not _has_same_start(source, output):
        changes.append(
            f"another start ({_format_start(output.start)} after the video, not {_format_start(source.start)})"
        )
    return changes


def _has_same_start(source: AudioFingerprint, output: AudioFingerprint) -> bool:
    if source.start is None or output.start is None:
        return source.start == output.start
    return abs(Fraction(source.start) - Fraction(output.start)) <= max(Fraction(source.tick), Fraction(output.tick))


def _format_start(start: str | None) -> str:
    return "nothing" if start is None else f"{float(Fraction(start)):.3f} s"


def list_contents(path: Path) -> FileContents:
    """List streams, chapters and tags of a file.

    Raises:
        SourceError: the file cannot be read.
    """
    with _open_container(path) as container:
        return FileContents(
            streams=tuple(_describe_stream(stream) for stream in container.streams),
            chapters=len(container.chapters()),
            tags=tuple(_iterate_tags(container)),
        )


def _open_container(path: Path) -> InputContainer:
    try:
        return av.open(str(path))
    except av.error.FFmpegError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}. Is it a video, and complete?") from error


def _read_time_base(stream: Stream) -> Fraction:
    assert stream.time_base is not None
    return stream.time_base


def _hash_streams(path: Path, indices: Sequence[int], codecs: Sequence[str]) -> list[tuple[str, str]]:
    """Packet and sample hashes: every stream goes into one output twice, copied and decoded."""
    arguments: list[str | Path] = ["-i", path]
    for index in [*indices, *indices]:
        arguments += ["-map", f"0:{index}"]
    for place, codec in enumerate(codecs):
        arguments += [f"-c:{place}", "copy", f"-c:{place + len(codecs)}", "pcm_s16le"]
        if codec == "aac":
            arguments += [f"-bsf:{place}", "aac_adtstoasc"]
    done = run_ffmpeg([*arguments, "-f", "streamhash", "-hash", "sha256", "-"])
    found = dict(_HASH_LINE.findall(done.stdout))
    if done.returncode != 0 or len(found) != 2 * len(indices):
        reason = (done.stderr.strip().splitlines() or ["a stream has no packets"])[0]
        raise SourceError(f"The audio of {path} cannot be decoded for a check, FFmpeg says: {reason}")
    return [(found[str(place)], found[str(place + len(indices))]) for place in range(len(indices))]


def _measure_starts(
    container: InputContainer, indices: Sequence[int], video_start: Fraction | None
) -> list[Fraction | None]:
    """Seconds from the first video frame to each stream's first packet, which a declared start may pass over."""
    begin = _read_declared_start(container) if video_start is None else video_start
    found: dict[int, Fraction] = {}
    for packet in container.demux([container.streams[index] for index in indices]):
        if packet.pts is not None and packet.stream.index not in found:
            found[packet.stream.index] = packet.pts * _read_time_base(packet.stream) - begin
            if len(found) == len(indices):
                break
    return [found.get(index) for index in indices]


def _read_declared_start(container: InputContainer) -> Fraction:
    video = next(iter(container.streams.video), None)
    return Fraction(0) if video is None or video.start_time is None else video.start_time * _read_time_base(video)


def _describe_stream(stream: Stream) -> StreamContent:
    picture = bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))
    return StreamContent(stream.index, stream.type, _canonical_codec(stream), picture)


def _canonical_codec(stream: Stream) -> str:
    """The codec's own name; a context goes by the name of its decoder, as `mp3float`."""
    return "unknown" if stream.codec_context is None else stream.codec_context.codec.canonical_name


def _iterate_tags(container: InputContainer) -> Iterator[Tag]:
    for name, value in container.metadata.items():
        yield Tag(None, name, value)
    for chapter in container.chapters():
        for name, value in chapter["metadata"].items():
            yield Tag(None, name, value)
    for stream in container.streams:
        for name, value in stream.metadata.items():
            yield Tag(stream.index, name, value)


def _is_structural(tag: Tag) -> bool:
    return tag.name.lower() in _STRUCTURAL_TAGS or (tag.name, tag.value) in _NEUTRAL_TAGS
