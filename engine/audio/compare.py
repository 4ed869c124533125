"""Whether an audio stream of an output is the source's with nothing but the chosen spans replaced, sample by sample."""

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
    """Samples of an altered stream, from `first` up to and without `stop`, counted from 0.

    Attributes:
        sha256: of the samples as the stream holds them, interleaved, little endian, in the width of `AlteredAudio`.
    """

    kind: PieceKind
    first: Count
    stop: Count
    sha256: Sha256


class AlteredAudio(Document, frozen=True):
    """An audio stream that was not kept as it is.

    Attributes:
        number: of the stream among the audio streams of the output, from 1.
        index: of the stream in the source.
        source_codec: of the source's stream.
        codec: of the output's, which is lossless.
        samples: how the decoder gives them: "s16", "s32", "flt" or "dbl".
        pieces: all of its samples, in order.
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
        """How much of it is what, as `48000 samples muted, all 22050 others as decoded`."""
        changed = [
            f"{count} samples {word}"
            for kind, word in (("mute", "muted"), ("bleep", "bleeped"))
            if (count := sum(piece.stop - piece.first for piece in self.pieces if piece.kind == kind))
        ]
        kept = sum(piece.stop - piece.first for piece in self.pieces if piece.kind == "kept")
        return f"{' and '.join(changed)}, all {kept} others as the source's decoder gives them"


@dataclass(frozen=True, slots=True)
class StreamLocation:
    """One of the two files: where it is, which stream of it, and when its first video frame is shown, on its clock."""

    path: Path
    index: int
    origin_s: Fraction


@dataclass(slots=True)
class StreamComparison:
    """What a comparison found.

    Attributes:
        changes: what is not as it should be, in words; empty when all is.
        pieces: what the stream should consist of.
    """

    changes: list[str] = field(default_factory=list)
    pieces: list[AudioPiece] = field(default_factory=list)


def compare_streams(
    source: StreamLocation, output: StreamLocation, codec: str, merged_spans: Sequence[MergedSpan]
) -> StreamComparison:
    """Hold an altered stream against the source's.

    Args:
        source: where the original is.
        output: where the altered stream is.
        codec: that the altered stream should have.
        merged_spans: what was to be replaced.

    Raises:
        SourceError: a stream cannot be decoded.
    """
    before, after = (read_audio_format(end.path, end.index) for end in (source, output))
    named = {
        "codec": (codec, after.codec),
        "sample format": (before.kind, after.kind),
        "sample rate": (before.rate, after.rate),
        "number of channels": (before.channels, after.channels),
    }
    strange = [f"another {name} ({found}, not {meant})" for name, (meant, found) in named.items() if meant != found]
    if strange:
        return StreamComparison(strange)
    with (
        decode_audio(source.path, source.index, before, source.origin_s) as original,
        decode_audio(output.path, output.index, after, output.origin_s) as altered,
    ):
        return _StreamComparer(before, merged_spans, max(before.tick_s, after.tick_s)).run(original, altered)


class _StreamComparer:
    """Goes through both streams at once."""

    def __init__(self, sound: AudioFormat, merged_spans: Sequence[MergedSpan], tick: Fraction) -> None:
        self._sound, self._merged_spans = sound, merged_spans
        self._start_tolerance_s = tick + Fraction(1, sound.rate)
        self._drift_tolerance_s = self._start_tolerance_s + max(2 * tick, MAX_JITTER_S)
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
        slack = self._drift_tolerance_s if before.first_sample else self._start_tolerance_s
        if abs(before.offset_s - after.offset_s) > slack:
            self._changes.setdefault("time", self._describe_time_shift(before, after))
        wrong = _find_differences(expected.samples, after.samples)
        if not wrong.any():
            return
        for cut in parts:
            places = np.flatnonzero(wrong[cut.start : cut.stop])
            if not len(places):
                continue
            place = cut.start + int(places[0])
            if cut.span is None:
                self._changes.setdefault(
                    "outside", f"other samples outside of the spans, from {self._describe_position(before, place)}"
                )
            else:
                left_in = not _find_differences(
                    before.samples[place : place + 1], after.samples[place : place + 1]
                ).any()
                what = "the source's sound left in" if left_in else "something else than was chosen"
                stretch = self._merged_spans[cut.span]
                self._changes.setdefault(
                    stretch.place, f"{what} in the {stretch.place}, from {self._describe_position(before, place)}"
                )

    def _describe_time_shift(self, before: SampleBlock, after: SampleBlock) -> str:
        meant, found = (float(one.offset_s + Fraction(one.first_sample, self._sound.rate)) for one in (before, after))
        if before.first_sample == 0:
            return f"another start ({found:.3f} s after the video, not {meant:.3f} s)"
        return f"another time from sample {before.first_sample} on ({found:.3f} s after the video, not {meant:.3f} s)"

    def _describe_position(self, block: SampleBlock, place: int) -> str:
        number = block.first_sample + place
        return f"sample {number} ({float(block.offset_s + Fraction(number, self._sound.rate)):.3f} s) on"


class _PieceHasher:
    """Hashes samples piece by piece."""

    def __init__(self) -> None:
        self._finished: list[AudioPiece] = []
        self._current: tuple[SpanKind | Literal["kept"], int | None] | None = None
        self._first = self._stop = 0
        self._hash = hashlib.sha256()

    def add(self, what: tuple[PieceKind, int | None], first: int, samples: Samples) -> None:
        if what != self._current:
            self._finish_piece()
            self._current, self._first, self._hash = what, first, hashlib.sha256()
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
    one: Iterator[SampleBlock], other: Iterator[SampleBlock]
) -> Iterator[tuple[SampleBlock | None, SampleBlock | None]]:
    """Blocks of both streams cut to the same samples; one is None where its stream has ended."""
    left, right = next(one, None), next(other, None)
    while left is not None or right is not None:
        count = min(len(block.samples) for block in (left, right) if block is not None)
        yield (left and left.slice_samples(0, count), right and right.slice_samples(0, count))
        left = _advance_block(left, count, one)
        right = _advance_block(right, count, other)


def _advance_block(block: SampleBlock | None, count: int, more: Iterator[SampleBlock]) -> SampleBlock | None:
    if block is None or len(block.samples) == count:
        return None if block is None else next(more, None)
    return block.slice_samples(count, len(block.samples) - count)


def _find_differences(one: Samples, other: Samples) -> Samples:
    """Which samples are not the same bits in every channel."""
    bits = f"<u{one.dtype.itemsize}"
    difference: Samples = (one.view(bits) != other.view(bits)).any(axis=1)
    return difference
