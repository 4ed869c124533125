"""Plans and writes the audio streams of an output in which spans are replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from engine.audio.replace import replace_samples
from engine.audio.spans import AudioSpan, MergedSpan, StreamExtent, check_spans, merge_spans
from engine.media.audio_samples import AudioWriter, decode_audio, read_audio_format
from engine.media.facts import MediaInfo, StreamInfo
from engine.media.output.mux import ReplacementTrack


def plan_codecs(source: Path, info: MediaInfo, spans: Sequence[AudioSpan], suffix: str) -> Mapping[int, str]:
    """Choose the codec of each audio stream in which something is replaced, by its index in the source.

    Args:
        source: the file.
        info: its probed facts.
        spans: the spans to replace.
        suffix: suffix of the output's path.

    Raises:
        InputError: a span is outside the audio or contradicts another.
        SourceError: a stream cannot be decoded.
    """
    # Numbers count the audio streams of the output, which are the copied ones in the source's order.
    streams = [stream for stream in info.streams if stream.fate == "copied"]
    check_spans(spans, stream_extents(streams))
    return {
        stream.index: read_audio_format(source, stream.index).choose_lossless_codec(suffix)
        for number, stream in enumerate(streams, start=1)
        if merge_spans(spans, number)
    }


def write_replacement_tracks(
    source: Path, altered: Mapping[int, Sequence[MergedSpan]], origin_s: Fraction, suffix: str, folder: Path
) -> Mapping[int, ReplacementTrack]:
    """Write each audio stream in which something is replaced to a file of its own.

    Args:
        source: the file.
        altered: the spans to replace, by index of the stream.
        origin_s: seconds on its clock at which the first video frame is shown.
        suffix: suffix of the output's path.
        folder: folder for the files.

    Raises:
        SourceError: a stream cannot be decoded.
    """
    return {
        index: _write_track(source, index, chosen, origin_s, suffix, folder / f"{index}.nut")
        for index, chosen in altered.items()
    }


def stream_extents(streams: Sequence[StreamInfo]) -> tuple[StreamExtent, ...]:
    """Return the start and end of each stream."""
    return tuple(map(_stream_extent, streams))


def _stream_extent(stream: StreamInfo) -> StreamExtent:
    start = None if stream.start is None else Fraction(stream.start)
    return StreamExtent(start, None if start is None or stream.duration is None else start + Fraction(stream.duration))


def _write_track(  # noqa: PLR0913, PLR0917  see `write_replacement_tracks`
    source: Path, index: int, chosen: Sequence[MergedSpan], origin_s: Fraction, suffix: str, path: Path
) -> ReplacementTrack:
    sound = read_audio_format(source, index)
    with decode_audio(source, index, sound, origin_s) as blocks, AudioWriter(path, sound) as writer:
        for block in blocks:
            writer.write(replace_samples(block, chosen, sound))
    return ReplacementTrack(path, sound, writer.start_s or Fraction(0), sound.choose_lossless_codec(suffix))
