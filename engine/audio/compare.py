"""Whether an audio stream of an output is the source's with nothing but the chosen spans replaced, sample by sample."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from engine.audio.replace import Cut, cuts, replaced
from engine.audio.spans import SpanKind, Stretch
from engine.media.audio_samples import JITTER, Block, SampleKind, Samples, SoundFormat, decoded, sound_format
from engine.record import Count, Document, Sha256

PieceKind = Literal["kept", "mute", "bleep"]


class Piece(Document, frozen=True):
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
    pieces: tuple[Piece, ...]

    @property
    def words(self) -> str:
        """How much of it is what, as `48000 samples muted, all 22050 others as decoded`."""
        changed = [
            f"{count} samples {word}"
            for kind, word in (("mute", "muted"), ("bleep", "bleeped"))
            if (count := sum(piece.stop - piece.first for piece in self.pieces if piece.kind == kind))
        ]
        kept = sum(piece.stop - piece.first for piece in self.pieces if piece.kind == "kept")
        return f"{' and '.join(changed)}, all {kept} others as the source's decoder gives them"


@dataclass(frozen=True, slots=True)
class End:
    """One of the two files: where it is, which stream of it, and when its first video frame is shown, on its clock."""

    path: Path
    index: int
    origin: Fraction


@dataclass(slots=True)
class Comparison:
    """What a comparison found.

    Attributes:
        changes: what is not as it should be, in words; empty when all is.
        pieces: what the stream should consist of.
    """

    changes: list[str] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)


def compare(source: End, output: End, codec: str, stretches: Sequence[Stretch]) -> Comparison:
    """Hold an altered stream against the source's.

    Args:
        source: where the original is.
        output: where the altered stream is.
        codec: that the altered stream should have.
        stretches: what was to be replaced.

    Raises:
        SourceError: a stream cannot be decoded.
    """
    before, after = (sound_format(end.path, end.index) for end in (source, output))
    named = {
        "codec": (codec, after.codec),
        "sample format": (before.kind, after.kind),
        "sample rate": (before.rate, after.rate),
        "number of channels": (before.channels, after.channels),
    }
    strange = [f"another {name} ({found}, not {meant})" for name, (meant, found) in named.items() if meant != found]
    if strange:
        return Comparison(strange)
    with (
        decoded(source.path, source.index, before, source.origin) as original,
        decoded(output.path, output.index, after, output.origin) as altered,
    ):
        return _Comparer(before, stretches, max(before.tick, after.tick)).run(original, altered)


class _Comparer:
    """Goes through both streams at once."""

    def __init__(self, sound: SoundFormat, stretches: Sequence[Stretch], tick: Fraction) -> None:
        self._sound, self._stretches = sound, stretches
        self._slack = tick + Fraction(1, sound.rate)
        self._drift = self._slack + max(2 * tick, JITTER)
        self._found: dict[str, str] = {}
        self._pieces = _Pieces()

    def run(self, original: Iterator[Block], altered: Iterator[Block]) -> Comparison:
        counts = [0, 0]
        for before, after in _side_by_side(original, altered):
            counts[0] += 0 if before is None else len(before.samples)
            counts[1] += 0 if after is None else len(after.samples)
            if before is None:
                continue
            parts = list(cuts(before, self._stretches, self._sound.rate))
            expected = replaced(before, self._stretches, self._sound)
            self._add(expected, parts)
            if after is not None:
                self._compare(before, expected, after, parts)
        if counts[0] != counts[1]:
            self._found["count"] = f"{counts[1]} samples instead of {counts[0]}"
        return Comparison(list(self._found.values()), self._pieces.closed())

    def _add(self, expected: Block, parts: Sequence[Cut]) -> None:
        for cut in parts:
            kind: PieceKind = "kept" if cut.stretch is None else self._stretches[cut.stretch].kind
            self._pieces.add((kind, cut.stretch), expected.first + cut.start, expected.samples[cut.start : cut.stop])

    def _compare(self, before: Block, expected: Block, after: Block, parts: Sequence[Cut]) -> None:
        slack = self._drift if before.first else self._slack
        if abs(before.offset - after.offset) > slack:
            self._found.setdefault("time", self._late(before, after))
        wrong = _differ(expected.samples, after.samples)
        if not wrong.any():
            return
        for cut in parts:
            places = np.flatnonzero(wrong[cut.start : cut.stop])
            if not len(places):
                continue
            place = cut.start + int(places[0])
            if cut.stretch is None:
                self._found.setdefault("outside", f"other samples outside of the spans, from {self._at(before, place)}")
            else:
                left_in = not _differ(before.samples[place : place + 1], after.samples[place : place + 1]).any()
                what = "the source's sound left in" if left_in else "something else than was chosen"
                stretch = self._stretches[cut.stretch]
                self._found.setdefault(stretch.place, f"{what} in the {stretch.place}, from {self._at(before, place)}")

    def _late(self, before: Block, after: Block) -> str:
        meant, found = (float(one.offset + Fraction(one.first, self._sound.rate)) for one in (before, after))
        if before.first == 0:
            return f"another start ({found:.3f} s after the video, not {meant:.3f} s)"
        return f"another time from sample {before.first} on ({found:.3f} s after the video, not {meant:.3f} s)"

    def _at(self, block: Block, place: int) -> str:
        number = block.first + place
        return f"sample {number} ({float(block.offset + Fraction(number, self._sound.rate)):.3f} s) on"


class _Pieces:
    """Hashes samples piece by piece."""

    def __init__(self) -> None:
        self._closed: list[Piece] = []
        self._what: tuple[SpanKind | Literal["kept"], int | None] | None = None
        self._first = self._stop = 0
        self._hash = hashlib.sha256()

    def add(self, what: tuple[PieceKind, int | None], first: int, samples: Samples) -> None:
        if what != self._what:
            self._close()
            self._what, self._first, self._hash = what, first, hashlib.sha256()
        self._hash.update(np.ascontiguousarray(samples).data)
        self._stop = first + len(samples)

    def closed(self) -> list[Piece]:
        self._close()
        return self._closed

    def _close(self) -> None:
        if self._what is not None:
            self._closed.append(Piece(self._what[0], self._first, self._stop, self._hash.hexdigest()))
        self._what = None


def _side_by_side(one: Iterator[Block], other: Iterator[Block]) -> Iterator[tuple[Block | None, Block | None]]:
    """Blocks of both streams cut to the same samples; one is None where its stream has ended."""
    left, right = next(one, None), next(other, None)
    while left is not None or right is not None:
        count = min(len(block.samples) for block in (left, right) if block is not None)
        yield (left and left.part(0, count), right and right.part(0, count))
        left = _rest(left, count, one)
        right = _rest(right, count, other)


def _rest(block: Block | None, count: int, more: Iterator[Block]) -> Block | None:
    if block is None or len(block.samples) == count:
        return None if block is None else next(more, None)
    return block.part(count, len(block.samples) - count)


def _differ(one: Samples, other: Samples) -> Samples:
    """Which samples are not the same bits in every channel."""
    bits = f"<u{one.dtype.itemsize}"
    difference: Samples = (one.view(bits) != other.view(bits)).any(axis=1)
    return difference
