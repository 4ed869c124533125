"""A few seconds of an audio stream as they would be heard in an output, for somebody to listen to."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.audio.replace import replaced
from engine.audio.spans import AudioSpan, stretches
from engine.errors import InputError
from engine.media.audio_samples import Block, SampleKind, Samples, decoded, sound_format

LONGEST = 120.0
"""Seconds of an excerpt at most."""


def excerpt(  # noqa: PLR0913, PLR0917 - which stream, what is done to it, and from when to when
    source: Path, index: int, number: int, spans: Sequence[AudioSpan], origin: Fraction, start: float, stop: float
) -> bytes:
    """What is heard from `start` to `stop`, as a WAV file of 16 bits in two channels at most.

    The spans are replaced by the very code that renders.

    Args:
        source: the file.
        index: of the stream in it.
        number: of the stream among those of the output, from 1.
        spans: what is to be replaced.
        origin: seconds on the file's clock at which the first video frame is shown.
        start: seconds after the first video frame.
        stop: seconds likewise; at most `LONGEST` later.

    Raises:
        InputError: nothing is heard there, or the excerpt would be too long.
        SourceError: the stream cannot be decoded.
    """
    if stop - start > LONGEST:
        raise InputError(f"An excerpt lasts {LONGEST:g} s at most; choose a shorter one.")
    sound, chosen = sound_format(source, index), stretches(spans, number)
    found: list[NDArray[np.int16]] = []
    with decoded(source, index, sound, origin) as blocks:
        for block in blocks:
            if block.offset + Fraction(block.first, sound.rate) >= stop:
                break
            part = _within(block, sound.rate, start, stop)
            if len(part.samples):
                found.append(_sixteen(replaced(part, chosen, sound).samples, sound.kind))
    if not found:
        raise InputError(f"Nothing is heard in stream {number} from {start:g} to {stop:g} s.")
    return _wav(np.concatenate(found), sound.rate)


def _within(block: Block, rate: int, start: float, stop: float) -> Block:
    """The part of a block that is played from `start` to `stop`."""
    first, last = (ceil((Fraction(time) - block.offset) * rate) - block.first for time in (start, stop))
    first = max(0, first)
    return block.part(first, max(0, min(last, len(block.samples)) - first))


def _sixteen(samples: Samples, kind: SampleKind) -> NDArray[np.int16]:
    two = samples[:, :2]
    if kind == "s32":
        two = two >> 16
    elif kind != "s16":
        two = np.clip(np.rint(two * 32767), -32768, 32767)
    return np.asarray(two, np.int16)


def _wav(samples: NDArray[np.int16], rate: int) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return target.getvalue()
