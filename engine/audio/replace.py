"""Silence and tones in the place of samples; all others stay what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil
from typing import NamedTuple

import numpy as np

from engine.audio.spans import Stretch
from engine.media.audio_samples import Block, SampleKind, Samples, SoundFormat

PITCH = 1000
"""Hz of a bleep."""
LEVEL = 3277
"""Peak of a bleep in steps of 16 bits: a tenth of full scale, -20 dBFS."""
RAMP = Fraction(5, 1000)
"""Seconds in which a bleep rises and falls, inside of its span."""


class Cut(NamedTuple):
    """A part of a block: samples from `start` to `stop` within it, which are in a stretch, or in none and kept.

    Attributes:
        stretch: number of the stretch, None for what is kept.
        after: samples of the stretch before this part.
        length: samples of the whole stretch.
    """

    start: int
    stop: int
    stretch: int | None = None
    after: int = 0
    length: int = 0


def cuts(block: Block, stretches: Sequence[Stretch], rate: int) -> Iterator[Cut]:
    """The block in parts, in order.

    A sample is in a stretch when the moment at which it is played is.
    """
    done, size = 0, len(block.samples)
    for number, stretch in enumerate(stretches):
        first, stop = (ceil((time - block.offset) * rate) for time in (stretch.start, stretch.end))
        start, end = max(first - block.first, done), min(stop - block.first, size)
        if start < end:
            if done < start:
                yield Cut(done, start)
            yield Cut(start, end, number, block.first + start - first, stop - first)
            done = end
    if done < size:
        yield Cut(done, size)


def replaced(block: Block, stretches: Sequence[Stretch], sound: SoundFormat) -> Block:
    """The block with silence or a tone where a stretch says so; itself where none does."""
    parts = [cut for cut in cuts(block, stretches, sound.rate) if cut.stretch is not None]
    if not parts:
        return block
    samples = block.samples.copy()
    for cut in parts:
        silent = stretches[cut.stretch or 0].kind == "mute"
        samples[cut.start : cut.stop] = 0 if silent else _tone(cut, sound)
    return block._replace(samples=samples)


def _tone(cut: Cut, sound: SoundFormat) -> Samples:
    """A part of a bleep, the same in every channel, shape (samples, 1).

    It is made of steps of 16 bits, so that it is the same on every machine and in every kind of sample.
    """
    place = np.arange(cut.after, cut.after + cut.stop - cut.start, dtype=np.int64)
    turn = (place * PITCH) % sound.rate / sound.rate
    ramp = max(1, min(round(RAMP * sound.rate), cut.length // 2))
    edge = np.minimum(np.minimum(place, cut.length - 1 - place) + 0.5, ramp) / ramp
    steps = np.rint(LEVEL * np.sin(2 * np.pi * turn) * (0.5 - 0.5 * np.cos(np.pi * edge)))
    return _as(steps, sound.kind).reshape(-1, 1)


def _as(steps: Samples, kind: SampleKind) -> Samples:
    match kind:
        case "s16":
            return steps.astype(np.int16)
        case "s32":
            return steps.astype(np.int32) << 16
        case _:
            return steps / 2**15
