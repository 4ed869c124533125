"""Silence and tones in the place of samples; all others stay what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil
from typing import NamedTuple

import numpy as np

from engine.audio.spans import MergedSpan
from engine.media.audio_samples import AudioFormat, SampleBlock, SampleKind, Samples

BLEEP_HZ = 1000
"""Hz of a bleep."""
BLEEP_PEAK = 3277
"""Peak of a bleep in steps of 16 bits: a tenth of full scale, -20 dBFS."""
BLEEP_RAMP_S = Fraction(5, 1000)
"""Seconds in which a bleep rises and falls, inside of its span."""


class BlockSegment(NamedTuple):
    """A part of a block: samples from `start` to `stop` within it, which are in a stretch, or in none and kept.

    Attributes:
        span: number of the stretch, None for what is kept.
        span_offset: samples of the stretch before this part.
        span_samples: samples of the whole stretch.
    """

    start: int
    stop: int
    span: int | None = None
    span_offset: int = 0
    span_samples: int = 0


def split_block(block: SampleBlock, merged_spans: Sequence[MergedSpan], rate: int) -> Iterator[BlockSegment]:
    """The block in parts, in order.

    A sample is in a stretch when the moment at which it is played is.
    """
    done, size = 0, len(block.samples)
    for number, stretch in enumerate(merged_spans):
        first, stop = (ceil((time - block.offset_s) * rate) for time in (stretch.start, stretch.end))
        start, end = max(first - block.first_sample, done), min(stop - block.first_sample, size)
        if start < end:
            if done < start:
                yield BlockSegment(done, start)
            yield BlockSegment(start, end, number, block.first_sample + start - first, stop - first)
            done = end
    if done < size:
        yield BlockSegment(done, size)


def replace_samples(block: SampleBlock, merged_spans: Sequence[MergedSpan], sound: AudioFormat) -> SampleBlock:
    """The block with silence or a tone where a stretch says so; itself where none does."""
    parts = [cut for cut in split_block(block, merged_spans, sound.rate) if cut.span is not None]
    if not parts:
        return block
    samples = block.samples.copy()
    for cut in parts:
        silent = merged_spans[cut.span or 0].kind == "mute"
        samples[cut.start : cut.stop] = 0 if silent else _make_tone(cut, sound)
    return block._replace(samples=samples)


def _make_tone(cut: BlockSegment, sound: AudioFormat) -> Samples:
    """A part of a bleep, the same in every channel, shape (samples, 1).

    It is made of steps of 16 bits, so that it is the same on every machine and in every kind of sample.
    """
    place = np.arange(cut.span_offset, cut.span_offset + cut.stop - cut.start, dtype=np.int64)
    turn = (place * BLEEP_HZ) % sound.rate / sound.rate
    ramp = max(1, min(round(BLEEP_RAMP_S * sound.rate), cut.span_samples // 2))
    edge = np.minimum(np.minimum(place, cut.span_samples - 1 - place) + 0.5, ramp) / ramp
    steps = np.rint(BLEEP_PEAK * np.sin(2 * np.pi * turn) * (0.5 - 0.5 * np.cos(np.pi * edge)))
    return _to_sample_kind(steps, sound.kind).reshape(-1, 1)


def _to_sample_kind(steps: Samples, kind: SampleKind) -> Samples:
    match kind:
        case "s16":
            return steps.astype(np.int16)
        case "s32":
            return steps.astype(np.int32) << 16
        case _:
            return steps / 2**15
