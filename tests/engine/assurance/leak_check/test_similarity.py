import numpy as np
import pytest

from engine.assurance.leak_check.report import LeakSettings
from engine.assurance.leak_check.similarity import measure_likeness
from engine.core.geometry import Box, Orientation, Size
from engine.core.picture import Picture, PixelFormat
from engine.masking.painter import redact
from engine.masking.presets import PRESETS

FORMAT = PixelFormat("yuv420p", 8, (1, 1), "yuv", full_range=False)
FACE = Box(60, 40, 140, 140)
UPRIGHT = Orientation.upright(Size(200, 180))


def picture(seed=1, *, flat=False):
    """Detail of many sizes, as a face has."""
    lot = np.random.default_rng(seed)
    luma = sum(
        np.kron(lot.normal(0, 12, (180 // step, 200 // step)), np.ones((step, step))) for step in (1, 2, 4, 10, 20)
    )
    luma = np.full((180, 200), 120.0) if flat else 120 + luma
    chroma = [np.full((90, 100), 128, np.uint8) for _ in range(2)]
    return Picture(FORMAT, (luma.clip(16, 235).astype(np.uint8), *chroma))


def encoded(one, strength=4.0):
    """Another generation: noise about as strong as a coarse encoding."""
    noise = np.random.default_rng(9).normal(0, strength, one.planes[0].shape)
    return Picture(FORMAT, ((one.planes[0] + noise).clip(16, 235).astype(np.uint8), *one.planes[1:]))


@pytest.mark.parametrize("preset", PRESETS)
def test_under_the_mask_of_any_preset_nothing_of_the_source_shows(preset):
    source = picture()
    masked = Picture(FORMAT, tuple(plane.copy() for plane in source.planes))
    redact(masked, [FACE], UPRIGHT, PRESETS[preset].style)
    assert abs(measure_likeness(source, encoded(masked, 1.0), FACE, UPRIGHT)) < 0.4


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("side", [10, 14, 20])
def test_nor_does_it_under_a_small_one(preset, side):
    face = Box(60, 40, 60 + side, 40 + side)
    for seed in range(20):
        source = picture(seed)
        masked = Picture(FORMAT, tuple(plane.copy() for plane in source.planes))
        redact(masked, [face], UPRIGHT, PRESETS[preset].style)
        assert measure_likeness(source, encoded(masked, 1.0), face, UPRIGHT) < LeakSettings().small_likeness


@pytest.mark.parametrize("box", [FACE, Box(60, 40, 70, 52)])
def test_where_a_mask_is_missing_the_source_shows(box):
    assert measure_likeness(picture(), encoded(picture()), box, UPRIGHT) > 0.9


@pytest.mark.parametrize("preset", PRESETS)
def test_a_slope_of_light_is_no_detail(preset):
    slope = np.add.outer(np.arange(180) * 0.6, np.arange(200) * 0.4).clip(16, 235).astype(np.uint8)
    source = Picture(FORMAT, (slope, *picture().planes[1:]))
    masked = Picture(FORMAT, tuple(plane.copy() for plane in source.planes))
    redact(masked, [FACE], UPRIGHT, PRESETS[preset].style)
    assert measure_likeness(source, encoded(masked, 1.0), FACE, UPRIGHT) is None


def test_another_picture_is_not_like_it():
    assert abs(measure_likeness(picture(1), picture(2), FACE, UPRIGHT)) < 0.3


def test_nothing_can_be_told_of_what_is_flat_or_tiny_or_outside():
    assert measure_likeness(picture(flat=True), picture(flat=True), FACE, UPRIGHT) is None
    assert measure_likeness(picture(), picture(), Box(60, 40, 67, 47), UPRIGHT) is None
    assert measure_likeness(picture(), picture(), Box(400, 40, 500, 140), UPRIGHT) is None


def test_ten_bits_are_as_telling_as_eight():
    deep = PixelFormat("yuv420p10le", 10, (1, 1), "yuv", full_range=False)
    source = Picture(deep, tuple(plane.astype(np.uint16) << 2 for plane in picture().planes))
    assert measure_likeness(source, source, FACE, UPRIGHT) == pytest.approx(1.0, abs=0.01)
    assert measure_likeness(source, encoded(picture()), FACE, UPRIGHT) > 0.9


def test_in_a_few_samples_likeness_must_be_closer_to_count():
    small, large = (Box(60, 40, 60 + side, 40 + side) for side in (18, 100))
    assert measure_likeness(picture(), encoded(picture(), 8.0), small, UPRIGHT) < measure_likeness(
        picture(), encoded(picture(), 8.0), large, UPRIGHT
    )
