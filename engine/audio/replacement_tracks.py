"""From a choice of spans to the streams of an output: the codec that each is to have, and what takes its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from engine.audio.replace import replaced
from engine.audio.spans import AudioSpan, Extent, Stretch, check, stretches
from engine.media.audio_samples import SoundWriter, decoded, sound_format
from engine.media.facts import MediaInfo, StreamInfo
from engine.media.output.mux import SoundTrack


def new_codecs(source: Path, info: MediaInfo, spans: Sequence[AudioSpan], suffix: str) -> Mapping[int, str]:
    """The codec of each audio stream that is not kept as it is, by its index in the source.

    Args:
        source: the file.
        info: what is in it.
        spans: what is to be replaced.
        suffix: of the output's name.

    Raises:
        InputError: a span cannot be replaced, because it lies outside or contradicts another.
        SourceError: a stream cannot be decoded.
    """
    streams = [stream for stream in info.streams if stream.fate == "copied"]
    check(spans, extents(streams))
    return {
        stream.index: sound_format(source, stream.index).lossless(suffix)
        for number, stream in enumerate(streams, start=1)
        if stretches(spans, number)
    }


def tracks(
    source: Path, altered: Mapping[int, Sequence[Stretch]], origin: Fraction, suffix: str, folder: Path
) -> Mapping[int, SoundTrack]:
    """Every audio stream that is not kept as it is, with its spans replaced, in a file of its own.

    Args:
        source: the file.
        altered: what is replaced in which of its streams.
        origin: seconds on its clock at which the first video frame is shown.
        suffix: of the output's name.
        folder: where the files go.

    Raises:
        SourceError: a stream cannot be decoded.
    """
    return {
        index: _track(source, index, chosen, origin, suffix, folder / f"{index}.nut")
        for index, chosen in altered.items()
    }


def extents(streams: Sequence[StreamInfo]) -> tuple[Extent, ...]:
    """From when to when each stream lasts."""
    return tuple(map(_extent, streams))


def _extent(stream: StreamInfo) -> Extent:
    start = None if stream.start is None else Fraction(stream.start)
    return Extent(start, None if start is None or stream.duration is None else start + Fraction(stream.duration))


def _track(  # noqa: PLR0913, PLR0917 - as `tracks`, for one stream
    source: Path, index: int, chosen: Sequence[Stretch], origin: Fraction, suffix: str, path: Path
) -> SoundTrack:
    sound = sound_format(source, index)
    with decoded(source, index, sound, origin) as blocks, SoundWriter(path, sound) as writer:
        for block in blocks:
            writer.write(replaced(block, chosen, sound))
    return SoundTrack(path, sound, writer.start or Fraction(0), sound.lossless(suffix))
