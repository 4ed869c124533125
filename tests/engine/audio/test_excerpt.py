"""An excerpt is what is heard in an output, for as long as was asked."""

import io
import wave
from fractions import Fraction

import numpy as np
import pytest

from engine.audio.compare import StreamLocation
from engine.audio.excerpt import make_excerpt
from engine.audio.spans import AudioSpan
from engine.errors import InputError
from tests import clips

SPANS = (AudioSpan("mute", 0.4, 0.6, "a name"), AudioSpan("bleep", 0.8, 0.9, "a place", (2,)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    tones = [
        clips.Audio(codec="pcm_s16le", rate=48000),
        clips.Audio(codec="pcm_s24le", rate=48000, channels=2, late=0.5),
    ]
    return clips.video(tmp_path_factory.mktemp("heard") / "clip.mkv", frames=50, audio=tones)


def read_wav(data):
    with wave.open(io.BytesIO(data)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return samples.astype(int), file.getframerate()


def test_an_excerpt_has_the_requested_length_and_a_mute_in_it_is_silent(clip):
    samples, rate = read_wav(make_excerpt(StreamLocation(clip, 1, Fraction(0)), 1, SPANS, 0.3, 0.7))
    assert (rate, samples.shape) == (48000, (19200, 1))
    quiet = np.abs(samples[:, 0]).reshape(-1, 480).max(axis=1)
    assert (quiet[10:30] == 0).all() and (quiet[:10] > 1000).all() and (quiet[30:] > 1000).all()


def test_a_stream_that_starts_late_is_cut_at_its_own_times(clip):
    samples, _ = read_wav(make_excerpt(StreamLocation(clip, 2, Fraction(0)), 2, SPANS, 0.0, 1.0))
    assert samples.shape == (24000, 2)
    assert (samples[:4800] == 0).all() and np.abs(samples[5000:14000]).max() > 1000


def test_an_excerpt_without_sound_or_too_long_is_refused(clip):
    stream = StreamLocation(clip, 1, Fraction(0))
    with pytest.raises(InputError, match="Audio stream 1 has no sound from 7 to 8 s"):
        make_excerpt(stream, 1, (), 7.0, 8.0)
    with pytest.raises(InputError, match="at most 120 s"):
        make_excerpt(stream, 1, (), 0.0, 500.0)
