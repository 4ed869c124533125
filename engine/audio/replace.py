"""Replaces the samples in spans by silence or a tone, and leaves all others unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil
from typing import NamedTuple

import numpy as np

from engine.audio.spans import MergedSpan
from engine.media.audio_samples import AudioFormat, SampleBlock, SampleKind, Samples

BLEEP_HZ = 1000
"""Frequency of a bleep, in hertz."""
BLEEP_PEAK = 3277
"""Peak of a bleep in steps of 16 bits: a tenth of full scale, -20 dBFS."""
BLEEP_RAMP_S = Fraction(5, 1000)
"""Duration of the rise and the fall of a bleep, inside its span: without them it would click."""


class BlockSegment(NamedTuple):
    """The samples from `start` to before `stop` of a block, all in one span or all in none.

    Attributes:
        span: index of the span; None: the samples are kept.
        span_offset: number of samples of the span before this part.
        span_samples: number of samples of the whole span.
    """

    start: int
    stop: int
    span: int | None = None
    span_offset: int = 0
    span_samples: int = 0


def split_block(block: SampleBlock, merged_spans: Sequence[MergedSpan], rate: int) -> Iterator[BlockSegment]:
    """Split a block into parts that are inside or outside spans, in order.

    A sample is in a span if it is played at the span's start or later, and before its end.
    """
    done, size = 0, len(block.samples)
    for number, span in enumerate(merged_spans):
        first, stop = (ceil((time - block.offset_s) * rate) for time in (span.start, span.end))
        start, end = max(first - block.first_sample, done), min(stop - block.first_sample, size)
        if start < end:
            if done < start:
                yield BlockSegment(done, start)
            yield BlockSegment(start, end, number, block.first_sample + start - first, stop - first)
            done = end
    if done < size:
        yield BlockSegment(done, size)


def replace_samples(block: SampleBlock, merged_spans: Sequence[MergedSpan], sound: AudioFormat) -> SampleBlock:
    """Return the block with the samples in spans replaced, or the block itself if none of its samples is in a span."""
    parts = [cut for cut in split_block(block, merged_spans, sound.rate) if cut.span is not None]
    if not parts:
        return block
    samples = block.samples.copy()
    for cut in parts:
        is_mute = merged_spans[cut.span or 0].kind == "mute"
        samples[cut.start : cut.stop] = 0 if is_mute else _make_tone(cut, sound)
    return block._replace(samples=samples)


def _make_tone(cut: BlockSegment, sound: AudioFormat) -> Samples:
    """Make a part of a bleep, the same in every channel, shape (samples, 1)."""
    place = np.arange(cut.span_offset, cut.span_offset + cut.stop - cut.start, dtype=np.int64)
    # The modulo is taken on integers: for long spans a float phase would lose precision.
    turn = (place * BLEEP_HZ) % sound.rate / sound.rate
    ramp = max(1, min(round(BLEEP_RAMP_S * sound.rate), cut.span_samples // 2))
    edge = np.minimum(np.minimum(place, cut.span_samples - 1 - place) + 0.5, ramp) / ramp
    # Rounded to steps of 16 bits, the tone is the same on every machine and in every type of sample.
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
