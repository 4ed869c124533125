"""The peaks of the sound for the timeline."""

import pytest

from engine.audio.waveform import measure_waveform
from tests import clips


def test_a_tone_has_peaks_as_long_as_it_lasts(tmp_path):
    path = clips.video(tmp_path / "tone.mp4", frames=25, audio=[clips.Audio()])
    peaks = measure_waveform(path, 50, 2.0)
    assert len(peaks) == 50
    assert min(peaks[2:23]) > 0.05
    assert max(peaks[28:]) == 0.0


def test_a_late_tone_is_silent_before(tmp_path):
    peaks = measure_waveform(clips.late_audio(tmp_path / "late.mp4", seconds=0.4, frames=50), 50, 2.0)
    assert max(peaks[:9]) == 0.0
    assert peaks[14] > 0.05


def test_a_clip_without_audio_has_none(tmp_path):
    assert measure_waveform(clips.silent(tmp_path / "silent.mp4"), 50, 1.0) == ()


@pytest.mark.parametrize("codec", ["pcm_s16le", "flac"])
def test_every_kind_of_samples_is_scaled_to_one(tmp_path, codec):
    path = clips.video(tmp_path / "tone.mkv", frames=25, audio=[clips.Audio(codec=codec)])
    assert 0.05 < max(measure_waveform(path, 20, 1.0)) <= 1.0
