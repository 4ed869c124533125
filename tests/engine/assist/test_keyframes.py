"""Keyframes that give the boxes of all frames back."""

from hypothesis import given
from hypothesis import strategies as st

from engine.assist.keyframes import simplify_boxes
from engine.core.geometry import Box


def moved(x):
    return Box(x, 10, x + 50, 70)


def test_a_straight_way_needs_its_ends_only():
    assert sorted(simplify_boxes({index: moved(3 * index) for index in range(50)})) == [0, 49]


def test_a_corner_is_a_keyframe():
    boxes = {index: moved(abs(index - 20) * 5) for index in range(40)}
    assert sorted(simplify_boxes(boxes)) == [0, 20, 39]


def test_one_frame_is_a_keyframe():
    assert simplify_boxes({7: moved(0)}) == {7: moved(0)}


@given(st.dictionaries(st.integers(0, 200), st.floats(0, 500), min_size=1))
def test_every_box_lies_within_the_tolerance(places):
    boxes = {index: moved(x) for index, x in places.items()}
    kept = sorted(simplify_boxes(boxes).items())
    assert (kept[0][0], kept[-1][0]) == (min(boxes), max(boxes))
    for index, wanted in boxes.items():
        before = max((one for one in kept if one[0] <= index), key=lambda one: one[0])
        after = min((one for one in kept if one[0] >= index), key=lambda one: one[0])
        share = (index - before[0]) / max(1, after[0] - before[0])
        assert abs(before[1].interpolate(after[1], share).left - wanted.left) <= max(1.0, 0.03 * 60) + 1e-6
