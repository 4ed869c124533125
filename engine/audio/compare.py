"""Compares an altered audio stream with the source's, sample by sample.

Outside of the spans every sample must be that of the source, inside it must be silence or the bleep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from engine.audio.replace import BlockSegment, replace_samples, split_block
from engine.audio.spans import MergedSpan, SpanKind
from engine.media.audio_samples import (
    MAX_JITTER_S,
    AudioFormat,
    SampleBlock,
    SampleKind,
    Samples,
    decode_audio,
    read_audio_format,
)
from engine.record import Count, Document, Sha256

PieceKind = Literal["kept", "mute", "bleep"]


class AudioPiece(Document, frozen=True):
    """Samples of an altered stream, from `first` to before `stop`, counted from 0.

    Attributes:
        sha256: SHA-256 of the samples, interleaved, little endian, in the type that `AlteredAudio` states.
    """

    kind: PieceKind
    first: Count
    stop: Count
    sha256: Sha256


class AlteredAudio(Document, frozen=True):
    """An audio stream in which something was replaced.

    Attributes:
        number: number of the stream among the audio streams of the output, from 1.
        index: index of the stream in the source.
        source_codec: codec of the source's stream.
        codec: codec of the output's stream, which is lossless.
        samples: type of the samples, as the decoder gives them: "s16", "s32", "flt" or "dbl".
        rate: samples a second of one channel.
        channels: number of channels.
        pieces: all samples of the stream, in order.
    """

    number: Count
    index: Count
    source_codec: str
    codec: str
    samples: SampleKind
    rate: Count
    channels: Count
    pieces: tuple[AudioPiece, ...]

    @property
    def summary(self) -> str:
        """Return how many samples were replaced and kept, in words."""
        changed = [
            f"{count} samples {word}"
            for kind, word in (("mute", "muted"), ("bleep", "bleeped"))
            if (count := sum(piece.stop - piece.first for piece in self.pieces if piece.kind == kind))
        ]
        kept = sum(piece.stop - piece.first for piece in self.pieces if piece.kind == "kept")
        return f"{' and '.join(changed)}, all {kept} others as the source's decoder gives them"


@dataclass(frozen=True, slots=True)
class StreamLocation:
    """An audio stream of a file.

    Attributes:
        path: the file.
        index: index of the stream in it.
        origin_s: seconds on the file's clock at which the first video frame is shown.
    """

    path: Path
    index: int
    origin_s: Fraction


@dataclass(slots=True)
class StreamComparison:
    """The result of a comparison.

    Attributes:
        changes: the differences that should not be there, in words.
        pieces: the pieces of which the stream should consist.
    """

    changes: list[str] = field(default_factory=list)
    pieces: list[AudioPiece] = field(default_factory=list)


def compare_streams(
    source: StreamLocation, output: StreamLocation, codec: str, merged_spans: Sequence[MergedSpan]
) -> StreamComparison:
    """Compare an altered stream with the source's.

    Args:
        source: the original stream.
        output: the altered stream.
        codec: codec that the altered stream should have.
        merged_spans: the spans in which it should be replaced.

    Raises:
        SourceError: a stream cannot be decoded.
    """
    before, after = (read_audio_format(stream.path, stream.index) for stream in (source, output))
    properties = {
        "codec": (codec, after.codec),
        "sample format": (before.kind, after.kind),
        "sample rate": (before.rate, after.rate),
        "number of channels": (before.channels, after.channels),
    }
    changes = [
        f"another {name} ({actual}, not {expected})"
        for name, (expected, actual) in properties.items()
        if expected != actual
    ]
    # Samples of another type, rate or number of channels cannot be compared one by one.
    if changes:
        return StreamComparison(changes)
    with (
        decode_audio(source.path, source.index, before, source.origin_s) as original,
        decode_audio(output.path, output.index, after, output.origin_s) as altered,
    ):
        return _StreamComparer(before, merged_spans, max(before.tick_s, after.tick_s)).run(original, altered)


class _StreamComparer:
    """Reads both streams in step and collects the differences."""

    def __init__(self, sound: AudioFormat, merged_spans: Sequence[MergedSpan], tick: Fraction) -> None:
        self._sound, self._merged_spans = sound, merged_spans
        # Starts may differ by one tick of the coarser clock and one sample. Later blocks may also deviate by the jitter
        # below which the decoder does not see a gap.
        self._start_tolerance_s = tick + Fraction(1, sound.rate)
        self._drift_tolerance_s = self._start_tolerance_s + max(2 * tick, MAX_JITTER_S)
        # The first difference of each kind or span is reported; after it, thousands of others usually follow.
        self._changes: dict[str, str] = {}
        self._pieces = _PieceHasher()

    def run(self, original: Iterator[SampleBlock], altered: Iterator[SampleBlock]) -> StreamComparison:
        counts = [0, 0]
        for before, after in _align_blocks(original, altered):
            counts[0] += 0 if before is None else len(before.samples)
            counts[1] += 0 if after is None else len(after.samples)
            if before is None:
                continue
            parts = list(split_block(before, self._merged_spans, self._sound.rate))
            expected = replace_samples(before, self._merged_spans, self._sound)
            # Pieces are hashed from what should be there. If the output differs, the check fails anyway.
            self._add_pieces(expected, parts)
            if after is not None:
                self._compare_block(before, expected, after, parts)
        if counts[0] != counts[1]:
            self._changes["count"] = f"{counts[1]} samples instead of {counts[0]}"
        return StreamComparison(list(self._changes.values()), self._pieces.finish())

    def _add_pieces(self, expected: SampleBlock, parts: Sequence[BlockSegment]) -> None:
        for cut in parts:
            kind: PieceKind = "kept" if cut.span is None else self._merged_spans[cut.span].kind
            self._pieces.add(
                (kind, cut.span), expected.first_sample + cut.start, expected.samples[cut.start : cut.stop]
            )

    def _compare_block(
        self, before: SampleBlock, expected: SampleBlock, after: SampleBlock, parts: Sequence[BlockSegment]
    ) -> None:
        tolerance_s = self._drift_tolerance_s if before.first_sample else self._start_tolerance_s
        if abs(before.offset_s - after.offset_s) > tolerance_s:
            self._changes.setdefault("time", self._describe_time_shift(before, after))
        differing = _find_differences(expected.samples, after.samples)
        if not differing.any():
            return
        for cut in parts:
            places = np.flatnonzero(differing[cut.start : cut.stop])
            if not len(places):
                continue
            place = cut.start + int(places[0])
            if cut.span is None:
                self._changes.setdefault(
                    "outside", f"other samples outside of the spans, from {self._describe_position(before, place)}"
                )
            else:
                # The worst case deserves its own words: what was to be hidden can be heard.
                left_in = not _find_differences(
                    before.samples[place : place + 1], after.samples[place : place + 1]
                ).any()
                problem = "the source's sound left in" if left_in else "something else than was chosen"
                span = self._merged_spans[cut.span]
                self._changes.setdefault(
                    span.place, f"{problem} in the {span.place}, from {self._describe_position(before, place)}"
                )

    def _describe_time_shift(self, before: SampleBlock, after: SampleBlock) -> str:
        expected_s, actual_s = (
            float(block.offset_s + Fraction(block.first_sample, self._sound.rate)) for block in (before, after)
        )
        if before.first_sample == 0:
            return f"another start ({actual_s:.3f} s after the video, not {expected_s:.3f} s)"
        number = before.first_sample
        return f"another time from sample {number} on ({actual_s:.3f} s after the video, not {expected_s:.3f} s)"

    def _describe_position(self, block: SampleBlock, place: int) -> str:
        number = block.first_sample + place
        return f"sample {number} ({float(block.offset_s + Fraction(number, self._sound.rate)):.3f} s) on"


class _PieceHasher:
    """Hashes the samples of each piece."""

    def __init__(self) -> None:
        self._finished: list[AudioPiece] = []
        self._current: tuple[SpanKind | Literal["kept"], int | None] | None = None
        self._first = self._stop = 0
        self._hash = hashlib.sha256()

    def add(self, piece: tuple[PieceKind, int | None], first: int, samples: Samples) -> None:
        # A piece spans blocks; it ends where a span begins or ends.
        if piece != self._current:
            self._finish_piece()
            self._current, self._first, self._hash = piece, first, hashlib.sha256()
        self._hash.update(np.ascontiguousarray(samples).data)
        self._stop = first + len(samples)

    def finish(self) -> list[AudioPiece]:
        self._finish_piece()
        return self._finished

    def _finish_piece(self) -> None:
        if self._current is not None:
            self._finished.append(AudioPiece(self._current[0], self._first, self._stop, self._hash.hexdigest()))
        self._current = None


def _align_blocks(
    original: Iterator[SampleBlock], altered: Iterator[SampleBlock]
) -> Iterator[tuple[SampleBlock | None, SampleBlock | None]]:
    """Yield blocks of both streams, cut to the same samples; a stream that has ended gives None."""
    left, right = next(original, None), next(altered, None)
    # The two decoders cut blocks differently, so both are cut to the shorter one and the rest is kept for the next
    # round. That needs memory for one block each, however long the streams are.
    while left is not None or right is not None:
        count = min(len(block.samples) for block in (left, right) if block is not None)
        yield (left and left.slice_samples(0, count), right and right.slice_samples(0, count))
        left = _advance_block(left, count, original)
        right = _advance_block(right, count, altered)


def _advance_block(block: SampleBlock | None, count: int, more: Iterator[SampleBlock]) -> SampleBlock | None:
    if block is None or len(block.samples) == count:
        return None if block is None else next(more, None)
    return block.slice_samples(count, len(block.samples) - count)


def _find_differences(one: Samples, other: Samples) -> Samples:
    """Return a flag for each sample that differs by any bit in any channel."""
    # Compared as integers, because floats that are not a number differ from themselves and 0 equals -0.
    bits = f"<u{one.dtype.itemsize}"
    difference: Samples = (one.view(bits) != other.view(bits)).any(axis=1)
    return difference
