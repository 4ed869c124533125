"""Makes excerpts of an audio stream as they will sound in an output, so that a person can listen before rendering."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from engine.audio.compare import StreamLocation
from engine.audio.replace import replace_samples
from engine.audio.spans import AudioSpan, merge_spans
from engine.errors import InputError
from engine.media.audio_samples import SampleBlock, SampleKind, Samples, decode_audio, read_audio_format

MAX_EXCERPT_S = 120.0
"""Longest excerpt, in seconds."""


def make_excerpt(
    stream: StreamLocation, number: int, spans: Sequence[AudioSpan], start_s: float, stop_s: float
) -> bytes:
    """Return what is heard from `start_s` to `stop_s`, as a WAV file of 16 bits and at most two channels.

    The spans are replaced by the same code as in a render.

    Args:
        stream: the stream of the source.
        number: number of the stream among the audio streams of the output, from 1.
        spans: the spans to replace.
        start_s: seconds after the first video frame.
        stop_s: seconds after the first video frame, at most `MAX_EXCERPT_S` after `start_s`.

    Raises:
        InputError: the stream has no sound there, or the excerpt would be too long.
        SourceError: the stream cannot be decoded.
    """
    if stop_s - start_s > MAX_EXCERPT_S:
        raise InputError(f"An excerpt lasts at most {MAX_EXCERPT_S:g} s; choose a shorter one.")
    sound, chosen = read_audio_format(stream.path, stream.index), merge_spans(spans, number)
    parts: list[NDArray[np.int16]] = []
    with decode_audio(stream.path, stream.index, sound, stream.origin_s) as blocks:
        for block in blocks:
            # Decoding stops here, so an excerpt early in a long file is quick.
            if block.offset_s + Fraction(block.first_sample, sound.rate) >= stop_s:
                break
            part = _cut_block(block, sound.rate, start_s, stop_s)
            if len(part.samples):
                parts.append(_to_int16(replace_samples(part, chosen, sound).samples, sound.kind))
    if not parts:
        raise InputError(f"Audio stream {number} has no sound from {start_s:g} to {stop_s:g} s; choose another time.")
    return _encode_wav(np.concatenate(parts), sound.rate)


def _cut_block(block: SampleBlock, rate: int, start_s: float, stop_s: float) -> SampleBlock:
    """Return the part of a block that is played from `start_s` to `stop_s`."""
    first, last = (ceil((Fraction(time) - block.offset_s) * rate) - block.first_sample for time in (start_s, stop_s))
    # A block may begin before the excerpt or end after it.
    first = max(0, first)
    return block.slice_samples(first, max(0, min(last, len(block.samples)) - first))


def _to_int16(samples: Samples, kind: SampleKind) -> NDArray[np.int16]:
    stereo = samples[:, :2]
    if kind == "s32":
        stereo = stereo >> 16
    elif kind != "s16":
        stereo = np.clip(np.rint(stereo * 32767), -32768, 32767)
    return np.asarray(stereo, np.int16)


def _encode_wav(samples: NDArray[np.int16], rate: int) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return target.getvalue()
