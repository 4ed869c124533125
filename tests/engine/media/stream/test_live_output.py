"""The preset of a live output follows from what has to be encoded."""

from fractions import Fraction

import pytest

from engine.core.geometry import Size
from engine.media.stream.live_output import LiveEncoding


@pytest.mark.parametrize(
    ("asked", "size", "rate", "preset"),
    [
        ("auto", Size(1920, 1080), 25, "superfast"),
        ("auto", Size(1920, 1080), 50, "ultrafast"),
        ("auto", Size(1280, 720), 60, "superfast"),
        ("auto", Size(3840, 2160), 25, "ultrafast"),
        ("veryfast", Size(3840, 2160), 50, "veryfast"),
    ],
)
def test_the_preset_follows_from_the_pixels_a_second_unless_it_is_named(asked, size, rate, preset):
    chosen = LiveEncoding(preset=asked).choose_preset(size, Fraction(rate))
    assert chosen.preset == preset
    assert chosen.encoder_options(Fraction(rate))["preset"] == preset
