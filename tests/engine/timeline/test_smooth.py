import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.record import SmoothingInFrames
from engine.timeline.smooth import ORIGINS, find_joins, smooth_track, steady_boxes


def bare(**values):
    """Settings that do not grow boxes, unless told to."""
    return SmoothingInFrames(**{"breadth": 0.0, "margin": 0.0, **values})


PLAIN = bare(window=0)


def line(frames, speed=0.0):
    """Boxes of a face of 40 pixels that is at x=100 in frame 0 and moves right."""
    left = 100.0 + speed * np.asarray(frames, dtype=float)
    return np.stack([left, np.full_like(left, 50.0), left + 40.0, np.full_like(left, 90.0)], axis=1)


def course(frames, smoothing=PLAIN, speed=0.0, scene=(0, 1000)):
    frames = np.array(frames)
    return smooth_track(frames, line(frames, speed), scene, smoothing)


def named(result):
    return {
        index: ORIGINS[origin] for index, origin in zip(result.frames.tolist(), result.origins.tolist(), strict=True)
    }


def test_a_gap_is_filled_on_the_straight_line():
    result = course([100, 104], bare(window=0, lead=0, tail=0), speed=3.0)
    assert named(result) == {
        100: "detected",
        101: "interpolated",
        102: "interpolated",
        103: "interpolated",
        104: "detected",
    }
    np.testing.assert_allclose(result.boxes, line(range(100, 105), 3.0))


@pytest.mark.parametrize(("gap", "filled"), [(3, True), (2, False)])
def test_the_longest_gap_that_is_filled_is_a_setting(gap, filled):
    result = course([100, 104], bare(window=0, lead=0, tail=0, gap=gap))
    assert (102 in named(result)) == filled


def test_a_gap_too_long_has_a_tail_and_a_lead_and_nothing_between():
    result = course([100, 150], bare(window=0, lead=2, tail=3, gap=10))
    assert list(named(result)) == [98, 99, 100, 101, 102, 103, 148, 149, 150, 151, 152, 153]
    assert named(result)[103] == named(result)[148] == "extended"


def test_where_a_tail_and_a_lead_meet_both_are_covered():
    frames = np.array([0, 3])
    boxes = np.array([[0.0, 0, 10, 10], [100, 0, 110, 10]])
    result = smooth_track(frames, boxes, (0, 4), bare(window=0, lead=2, tail=2, gap=1))
    np.testing.assert_allclose(result.boxes[1:3], [[0, 0, 110, 10]] * 2)


def test_an_extension_goes_on_ever_slower():
    result = course(range(100, 110), bare(window=0, lead=3, tail=3, damping=0.5), speed=4.0)
    left = result.boxes[:, 0]
    np.testing.assert_allclose(np.diff(left[-4:]), [2.0, 1.0, 0.5])
    np.testing.assert_allclose(np.diff(left[:4]), [0.5, 1.0, 2.0])


def test_a_face_seen_once_is_extended_where_it_was():
    result = course([100], bare(lead=2, tail=2))
    np.testing.assert_allclose(result.boxes, line([100] * 5))


def test_extensions_stay_within_their_scene():
    assert list(named(course([100, 101], scene=(98, 103)))) == [98, 99, 100, 101, 102]


def test_uniform_motion_is_left_as_it_is():
    frames = np.arange(30)
    np.testing.assert_allclose(steady_boxes(line(frames, 7.5), 3), line(frames, 7.5), atol=1e-9)


@pytest.mark.parametrize("speed", [0.0, 5.0])
def test_jitter_becomes_less_than_half(speed):
    rng = np.random.default_rng(0)
    frames = np.arange(400)
    shaky = line(frames, speed) + rng.normal(0, 2.0, (400, 4))
    before, after = (np.diff(boxes, n=2, axis=0).std(axis=0) for boxes in (shaky, steady_boxes(shaky, 2)))
    assert (after < 0.5 * before).all()
    assert (steady_boxes(shaky, 2) - line(frames, speed))[:, 2:].max() < 10


def square(x, y, side):
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


def areas(boxes):
    return (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


@pytest.mark.parametrize(
    "after",
    [
        [square(300, 300, 400)] * 8,
        [square(500, 300, 200)] * 8,
        [square(450, 450, 200)] * 8,
        [square(360, 360, 370)],
    ],
    ids=["larger head", "head beside", "head below", "wild box before a cut"],
)
@pytest.mark.parametrize("window", [1, 2, 4])
@pytest.mark.parametrize("turned", [False, True])
def test_a_mask_does_not_swell_before_or_after_a_join(after, window, turned):
    boxes = np.array([square(300, 300, 200)] * 8 + after)[:: -1 if turned else 1]
    np.testing.assert_allclose(steady_boxes(boxes, window), boxes)


@pytest.mark.parametrize("window", [1, 2, 4])
def test_a_wild_box_within_a_track_is_no_join_so_the_mask_does_not_flash(window):
    boxes = np.array([square(300, 300, 200)] * 10 + [square(360, 360, 370)] + [square(300, 300, 200)] * 10)
    steps = np.diff(areas(steady_boxes(boxes, window)))
    assert np.abs(steps[8:10]).max() < 0.8 * (370**2 - 200**2)
    assert (steps[10 - window : 10] > 0).any()


def test_a_zoom_is_left_as_it_is():
    boxes = np.array([square(300, 300, 100 * 1.1**frame) for frame in range(12)])
    np.testing.assert_allclose(steady_boxes(boxes, 2), boxes)


def test_a_face_that_starts_fast_and_stops_at_once_is_steadied_as_one():
    boxes = np.array([square(300 + 70 * min(max(frame - 4, 0), 6), 300, 200) for frame in range(16)])
    assert find_joins(boxes, 2) == []


def test_a_join_is_no_speed_of_the_extension():
    boxes = np.array([square(300, 300, 100)] * 6 + [square(400, 300, 100)])
    result = smooth_track(np.arange(7), boxes, (0, 20), bare(tail=4, lead=0))
    np.testing.assert_allclose(result.boxes[7:], [square(400, 300, 100)] * 4)


tall = hnp.arrays(np.float64, st.tuples(st.integers(1, 30), st.just(4)), elements=st.floats(0, 2000))


@settings(deadline=None)
@given(tall, st.integers(0, 6))
def test_steadying_never_loses_a_pixel(corners, window):
    boxes = np.concatenate((np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])), 1)
    steadied = steady_boxes(boxes, window)
    assert (steadied[:, :2] <= boxes[:, :2]).all()
    assert (steadied[:, 2:] >= boxes[:, 2:]).all()


def test_a_narrow_box_is_broadened_and_then_grown_by_the_margin():
    narrow = np.array([[100.0, 50.0, 110.0, 90.0]])
    result = smooth_track(np.array([5]), narrow, (0, 10), bare(breadth=0.8, margin=0.1, lead=0, tail=0))
    assert result.boxes.tolist() == [pytest.approx([105 - 19.2, 70 - 24, 105 + 19.2, 70 + 24])]


def test_a_lying_box_is_broadened_upwards():
    lying = np.array([[100.0, 50.0, 140.0, 60.0]])
    result = smooth_track(np.array([5]), lying, (0, 10), bare(breadth=0.5, lead=0, tail=0))
    assert result.boxes.tolist() == [[100, 45, 140, 65]]


def test_a_track_is_extended_no_further_than_its_sightings_are_trusted():
    assert [len(course(range(100, 100 + seen), bare(lead=6, tail=8, trust=2)).frames) for seen in (1, 2, 3, 4, 5)] == [
        1 + 2 + 2,
        2 + 4 + 4,
        3 + 6 + 6,
        4 + 6 + 8,
        5 + 6 + 8,
    ]


@pytest.mark.parametrize("window", [2, 7])
def test_where_a_long_track_is_cut_into_blocks_makes_no_difference(window):
    """The blocks of the same boxes begin elsewhere when a few of the first are left out."""
    chance = np.random.default_rng(3)
    places = np.cumsum(chance.normal(0, 2, (20_000, 2)), axis=0)
    places[9000:] += 400  # another head: a join
    sizes = 40 + chance.normal(0, 1, (20_000, 2))
    boxes = np.hstack([places, places + sizes])
    whole, joins = steady_boxes(boxes, window), find_joins(boxes, window)
    assert 9000 in joins
    for left_out in (1, 1000, 8191):
        rest = boxes[left_out:]
        # Beyond three windows, and the steps around them, nothing is known of the first boxes.
        inner = 4 * window
        np.testing.assert_array_equal(steady_boxes(rest, window)[inner:], whole[left_out + inner :])
        assert [jump for jump in find_joins(rest, window) if jump > inner] == [
            jump - left_out for jump in joins if jump > left_out + inner
        ]
