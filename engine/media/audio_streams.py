"""Reads hashes and starts of the audio of a file, and everything in it that could identify a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import msgspec
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream

from engine.core.step_limit import limit_steps
from engine.errors import SourceError
from engine.media.codec_headers import list_header_texts
from engine.media.containers import container_family
from engine.media.ffmpeg import run_ffmpeg
from engine.media.local_file import open_local_file
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
    """An audio stream: what is stored, what is heard, and when.

    Attributes:
        index: stream index in the file.
        packets: hash of the codec's payload, without the framing that only some containers need (ADTS).
        decoded: hash of the 16-bit samples that FFmpeg's command line decodes.
        start: seconds from the first video frame to the stream's first packet, negative if it comes earlier; None
            if the stream is empty.
        tick: resolution of the stream's clock in the file, in seconds.
    """

    index: Count
    codec: str
    packets: Sha256
    decoded: Sha256
    start: SignedRatio | None
    tick: Ratio


class Tag(Document, frozen=True):
    """A metadata tag; `stream` is the index of the stream that carries it, or None for the file and its chapters."""

    stream: int | None
    name: str
    value: str


class StreamContent(Document, frozen=True):
    """A stream of the kind "video", "audio", "subtitle", "data", "attachment" or "unknown".

    Attributes:
        picture: it is cover art or a thumbnail.
        header_text: the codec's own header holds text, as the comment header of Vorbis does.
    """

    index: Count
    kind: str
    codec: str
    picture: bool
    header_text: bool = False


class FileContents(Document, frozen=True):
    """Everything in a file that a person should know before it is handed out."""

    streams: tuple[StreamContent, ...]
    chapters: Count
    tags: tuple[Tag, ...]

    @property
    def identifying_tags(self) -> tuple[Tag, ...]:
        """Return the tags that are more than structure, such as titles, dates, devices, places and programs."""
        return tuple(tag for tag in self.tags if not _is_structural(tag))


def fingerprint_audio(
    path: Path, indices: Sequence[int] | None = None, *, video_start: Fraction | None = None
) -> tuple[AudioFingerprint, ...]:
    """Fingerprint audio streams, in one run of FFmpeg.

    Args:
        path: the file.
        indices: stream indices; None: all audio streams.
        video_start: seconds on the file's clock at which the first frame is shown, as a record states it. None: what
            the container declares, which is too early if the recording starts before its first keyframe.

    Raises:
        SourceError: the file cannot be read or a stream cannot be decoded.
    """
    with open_local_file(path) as container:
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
    """Return the indices of a file's audio streams, and the declared start of its video in seconds.

    Raises:
        SourceError: the file cannot be read.
    """
    with open_local_file(path) as container:
        return tuple(stream.index for stream in container.streams.audio), _read_declared_start(container)


def describe_audio_changes(source: AudioFingerprint, output: AudioFingerprint) -> list[str]:
    """Describe the differences of a copied stream to its source; the list is empty if there are none.

    Starts are compared with the resolution of the coarser clock of the two files.
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
    # Each container rounds a start to its own clock, so equal means equal on the coarser of the two.
    return abs(Fraction(source.start) - Fraction(output.start)) <= max(Fraction(source.tick), Fraction(output.tick))


def _format_start(start: str | None) -> str:
    return "nothing" if start is None else f"{float(Fraction(start)):.3f} s"


def list_contents(path: Path) -> FileContents:
    """List streams, chapters and tags of a file.

    Raises:
        SourceError: the file cannot be read.
    """
    with open_local_file(path) as container:
        return FileContents(
            streams=tuple(_describe_stream(stream) for stream in container.streams),
            chapters=len(container.chapters()),
            tags=tuple(_iterate_tags(container)),
        )


def _read_time_base(stream: Stream) -> Fraction:
    assert stream.time_base is not None
    return stream.time_base


def _hash_streams(path: Path, indices: Sequence[int], codecs: Sequence[str]) -> list[tuple[str, str]]:
    """Return a packet hash and a sample hash for each stream."""
    # One run reads the file once: every stream is mapped twice, first copied, then decoded.
    arguments: list[str | Path] = ["-i", path]
    for index in [*indices, *indices]:
        arguments += ["-map", f"0:{index}"]
    for place, codec in enumerate(codecs):
        arguments += [f"-c:{place}", "copy", f"-c:{place + len(codecs)}", "pcm_s16le"]
        # MPEG-TS puts an ADTS header before each AAC packet and no other container does; hashes must not see it.
        if codec == "aac":
            arguments += [f"-bsf:{place}", "aac_adtstoasc"]
    done = run_ffmpeg([*arguments, "-f", "streamhash", "-hash", "sha256", "-"])
    hashes = dict(_HASH_LINE.findall(done.stdout))
    if done.returncode != 0 or len(hashes) != 2 * len(indices):
        reason = (done.stderr.strip().splitlines() or ["a stream has no packets"])[0]
        raise SourceError(f"The audio of {path} cannot be decoded for a check, FFmpeg says: {reason}")
    return [(hashes[str(place)], hashes[str(place + len(indices))]) for place in range(len(indices))]


def _measure_starts(
    container: InputContainer, indices: Sequence[int], video_start: Fraction | None
) -> list[Fraction | None]:
    """Return the seconds from the first video frame to each stream's first packet."""
    # The declared start of a stream is not used, because it may be later than the first packet.
    video = next(iter(container.streams.video), None) if video_start is None else None
    begin = _read_declared_start(container) if video_start is None else video_start
    missing = {*indices, *(() if video is None else (video.index,))}
    starts: dict[int, Fraction] = {}
    for packet in limit_steps(container.demux([container.streams[index] for index in missing])):
        if packet.pts is None or packet.stream_index not in missing:
            continue
        time = packet.pts * _read_time_base(packet.stream)
        if video is None or packet.stream_index != video.index:
            starts[packet.stream_index] = time
        elif packet.is_discard or not packet.is_keyframe:
            # Not shown: the video starts with its first keyframe that no edit list cuts off.
            continue
        elif container_family(container.format.name).stores_pts:
            # Matroska declares one start for all streams, although the video may start later.
            begin = time
        missing.discard(packet.stream_index)
        if not missing:
            break
    return [starts[index] - begin if index in starts else None for index in indices]


def _read_declared_start(container: InputContainer) -> Fraction:
    video = next(iter(container.streams.video), None)
    return Fraction(0) if video is None or video.start_time is None else video.start_time * _read_time_base(video)


def _describe_stream(stream: Stream) -> StreamContent:
    picture = bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))
    codec = _canonical_codec(stream)
    extradata = stream.codec_context.extradata if isinstance(stream, AudioStream) and stream.codec_context else None
    texts = list_header_texts(codec, extradata)
    return StreamContent(stream.index, stream.type, codec, picture, header_text=bool(texts))


def _canonical_codec(stream: Stream) -> str:
    """Return the codec's own name; that of the context is the decoder's, such as `mp3float`."""
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
