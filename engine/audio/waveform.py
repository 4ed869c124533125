"""The loudest sample in each part of a video, for a drawing of its sound."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.media.audio_samples import SampleBlock, SampleKind, decode_audio, read_audio_format
from engine.media.audio_streams import list_audio_streams

_FULL_SCALE: Mapping[SampleKind, float] = {"s16": 2.0**15, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0}


def measure_waveform(source: Path, count: int, duration_s: float) -> tuple[float, ...]:
    """Measure the peaks of the first audio stream, 0 to 1, in `count` equal parts from the first video frame on.

    Returns:
        The peaks; empty if the file has no audio.

    Raises:
        SourceError: the stream cannot be decoded.
    """
    indices, origin_s = list_audio_streams(source)
    if not indices:
        return ()
    peaks = np.zeros(count)
    sound = read_audio_format(source, indices[0])
    with decode_audio(source, indices[0], sound, origin_s) as blocks:
        for block in blocks:
            _add_peaks(peaks, block, sound.rate, duration_s)
    return tuple(round(float(peak), 3) for peak in np.minimum(1.0, peaks / _FULL_SCALE[sound.kind]))


def _add_peaks(peaks: NDArray[np.float64], block: SampleBlock, rate: int, duration_s: float) -> None:
    loudest = np.abs(block.samples.astype(np.float64)).max(axis=1)
    times = float(block.offset_s) + (block.first_sample + np.arange(len(loudest))) / rate
    places = np.floor(times / duration_s * len(peaks)).astype(np.int64)
    inside = (places >= 0) & (places < len(peaks))
    if not inside.any():
        return
    places, loudest = places[inside], loudest[inside]
    # Places rise, so each part of the video is one run of samples.
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    np.maximum.at(peaks, places[starts], np.maximum.reduceat(loudest, starts))
