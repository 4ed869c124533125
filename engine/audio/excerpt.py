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

from engine.audio.replace import replace_samples
from engine.audio.spans import AudioSpan, merge_spans
from engine.errors import InputError
from engine.media.audio_samples import SampleBlock, SampleKind, Samples, decode_audio, read_audio_format

MAX_EXCERPT_S = 120.0
"""Seconds of an excerpt at most."""


def make_excerpt(  # noqa: PLR0913, PLR0917 - which stream, what is done to it, and from when to when
    source: Path, index: int, number: int, spans: Sequence[AudioSpan], origin_s: Fraction, start_s: float, stop_s: float
) -> bytes:
    """What is heard from `start_s` to `stop_s`, as a WAV file of 16 bits in two channels at most.

    The spans are replaced by the very code that renders.

    Args:
        source: the file.
        index: of the stream in it.
        number: of the stream among those of the output, from 1.
        spans: what is to be replaced.
        origin_s: seconds on the file's clock at which the first video frame is shown.
        start_s: seconds after the first video frame.
        stop_s: seconds likewise; at most `LONGEST` later.

    Raises:
        InputError: nothing is heard there, or the excerpt would be too long.
        SourceError: the stream cannot be decoded.
    """
    if stop_s - start_s > MAX_EXCERPT_S:
        raise InputError(f"An excerpt lasts {MAX_EXCERPT_S:g} s at most; choose a shorter one.")
    sound, chosen = read_audio_format(source, index), merge_spans(spans, number)
    found: list[NDArray[np.int16]] = []
    with decode_audio(source, index, sound, origin_s) as blocks:
        for block in blocks:
            if block.offset_s + Fraction(block.first_sample, sound.rate) >= stop_s:
                break
            part = _cut_block(block, sound.rate, start_s, stop_s)
            if len(part.samples):
                found.append(_to_int16(replace_samples(part, chosen, sound).samples, sound.kind))
    if not found:
        raise InputError(f"Nothing is heard in stream {number} from {start_s:g} to {stop_s:g} s.")
    return _encode_wav(np.concatenate(found), sound.rate)


def _cut_block(block: SampleBlock, rate: int, start_s: float, stop_s: float) -> SampleBlock:
    """The part of a block that is played from `start_s` to `stop_s`."""
    first, last = (ceil((Fraction(time) - block.offset_s) * rate) - block.first_sample for time in (start_s, stop_s))
    first = max(0, first)
    return block.slice_samples(first, max(0, min(last, len(block.samples)) - first))


def _to_int16(samples: Samples, kind: SampleKind) -> NDArray[np.int16]:
    two = samples[:, :2]
    if kind == "s32":
        two = two >> 16
    elif kind != "s16":
        two = np.clip(np.rint(two * 32767), -32768, 32767)
    return np.asarray(two, np.int16)


def _encode_wav(samples: NDArray[np.int16], rate: int) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return target.getvalue()
