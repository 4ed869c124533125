from fractions import Fraction

import numpy as np
import pytest

from engine.audio.replace import BLEEP_PEAK, replace_samples
from engine.audio.spans import MergedSpan
from engine.media.audio_samples import AudioFormat, SampleBlock

RATE = 48000


def make_format(kind, rate=RATE):
    return AudioFormat("aac", kind, 16, rate, 2, "stereo", default=True, tick_s=Fraction(1, rate), stores_times=True)


def make_block(kind, count=RATE, offset=Fraction(0), first=0):
    dtype = {"s16": "<i2", "s32": "<i4", "flt": "<f4", "dbl": "<f8"}[kind]
    return SampleBlock(first, offset, np.full((count, 2), 7, dtype))


def make_span(kind, start, end):
    return MergedSpan(kind, Fraction(start), Fraction(end))


def test_a_span_is_half_open_in_the_time_at_which_samples_are_played():
    chosen = [make_span("mute", "1/4", "1/2")]
    (silent,) = np.nonzero(replace_samples(make_block("s16"), chosen, make_format("s16")).samples[:, 0] == 0)
    assert (silent[0], silent[-1], len(silent)) == (12000, 23999, 12000)
    (silent,) = np.nonzero(
        replace_samples(make_block("s16", offset=Fraction(1, 10)), chosen, make_format("s16")).samples[:, 1] == 0
    )
    assert (silent[0], silent[-1]) == (7200, 19199)


@pytest.mark.parametrize("kind", ["s16", "s32", "flt", "dbl"])
def test_a_bleep_is_a_tone_of_1_khz_with_ramps_inside_of_its_span(kind):
    chosen = [make_span("bleep", "1/4", "1/2")]
    tone = replace_samples(make_block(kind), chosen, make_format(kind)).samples.astype(float)
    assert (tone[:12000] == 7).all()
    assert (tone[24000:] == 7).all()
    full = {"s16": 2**15, "s32": 2**31}.get(kind, 1)
    inside = tone[12000:24000, 0] / full
    assert (tone[12000:24000, 0] == tone[12000:24000, 1]).all()
    spectrum = np.abs(np.fft.rfft(inside))
    assert spectrum.argmax() == 250
    assert np.abs(inside).max() == BLEEP_PEAK / 2**15
    assert np.abs(inside[[0, 1, -1, -2]]).max() < 0.001
    assert np.abs(inside[120:240]).max() < BLEEP_PEAK / 2**15 <= np.abs(inside[240:480]).max()


def test_the_tone_does_not_depend_on_how_the_stream_is_cut_into_blocks():
    chosen = [make_span("bleep", "0.1234", "0.6789")]
    for rate in (RATE, 44100, 8000):
        whole = replace_samples(make_block("flt", rate), chosen, make_format("flt", rate)).samples
        parts = [make_block("flt", rate).slice_samples(start, 1000) for start in range(0, rate, 1000)]
        again = np.concatenate([replace_samples(part, chosen, make_format("flt", rate)).samples for part in parts])
        assert (whole == again).all()


def test_a_bleep_shorter_than_its_ramps():
    chosen = [make_span("bleep", "0.1", "0.1001")]
    tone = replace_samples(make_block("s16"), chosen, make_format("s16")).samples[:, 0]
    assert (tone != 7).sum() == 5


def test_a_block_outside_of_every_span_is_not_touched():
    untouched = make_block("s16", first=RATE)
    assert replace_samples(untouched, [make_span("mute", 0, 1)], make_format("s16")) is untouched
