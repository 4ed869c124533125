"""The size of looks follows from the times that they take, and from nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.geometry import Size
from engine.live.look_size import (
    LOOK_SIDES_PX,
    LookSizeChange,
    LookSizeController,
    compute_smallest_face_px,
    describe_look_change,
)

BUDGET_S = 0.2
FULL_HD = Size(1920, 1080)


def feed(controller, full_look_s, count):
    """Looks whose time is proportional to their pixels; return the sizes, and the summed time of all of them."""
    sides, elapsed_s = [], 0.0
    for _ in range(count):
        side_px = controller.side_px
        seconds = full_look_s * (side_px / LOOK_SIDES_PX[0]) ** 2
        controller.add_look(side_px, seconds)
        sides.append(side_px)
        elapsed_s += seconds
    return sides, elapsed_s


def test_a_fast_machine_looks_at_the_largest_size():
    assert set(feed(LookSizeController(LOOK_SIDES_PX, BUDGET_S), 0.06, 500)[0]) == {640}


def test_one_slow_look_changes_nothing_and_two_do():
    controller = LookSizeController(LOOK_SIDES_PX, BUDGET_S)
    for seconds in (0.06, 0.9, 0.06, 0.06, 0.9, 0.06, 0.06):
        assert not controller.add_look(640, seconds)
    assert not controller.add_look(640, 0.3)
    assert controller.add_look(640, 0.3)
    assert controller.side_px == 416, "the largest that is expected to fit, with room"


def test_it_goes_straight_to_the_size_that_fits():
    controller = LookSizeController(LOOK_SIDES_PX, BUDGET_S)
    assert feed(controller, 1.2, 3)[0] == [640, 640, 256]


def test_there_is_a_smallest_size():
    controller = LookSizeController(LOOK_SIDES_PX, BUDGET_S)
    feed(controller, 30.0, 50)
    assert controller.side_px == LOOK_SIDES_PX[-1]
    assert not controller.add_look(LOOK_SIDES_PX[-1], 30.0)


def test_it_comes_back_step_by_step_when_the_machine_has_time():
    controller = LookSizeController(LOOK_SIDES_PX, BUDGET_S)
    feed(controller, 1.2, 2)
    sides, elapsed_s = feed(controller, 0.06, 3000)
    order = sorted(set(sides))
    assert [side for side, before in zip(sides, [None, *sides], strict=False) if side != before] == order
    assert order == sorted(LOOK_SIDES_PX)
    assert elapsed_s > 8, "at least two seconds of looks for each of the four steps"


def test_a_size_that_is_almost_too_slow_is_not_tried_again_and_again():
    controller = LookSizeController(LOOK_SIDES_PX, BUDGET_S)
    feed(controller, 1.2, 2)
    changes = 0
    # Between the trials the machine seems to have time; each trial shows that it has not.
    for _ in range(4000):
        side_px = controller.side_px
        changes += controller.add_look(side_px, 0.5 if side_px > 256 else 0.05)
    seconds = 4000 * 0.05
    assert changes <= 2 * (seconds / 30 + 5)


def test_a_look_that_was_under_way_when_the_size_changed_does_not_count():
    controller = LookSizeController(LOOK_SIDES_PX, BUDGET_S)
    controller.add_look(640, 0.5)
    controller.add_look(640, 0.5)
    side_px = controller.side_px
    for _ in range(9):
        assert not controller.add_look(640, 0.5)
    assert controller.side_px == side_px


@given(st.lists(st.floats(0.001, 3.0), max_size=200))
def test_the_same_times_give_the_same_sizes_of_the_ladder(times):
    def run():
        controller = LookSizeController(LOOK_SIDES_PX, BUDGET_S)
        sides = []
        for seconds in times:
            controller.add_look(controller.side_px, seconds)
            sides.append(controller.side_px)
        return sides

    first = run()
    assert first == run()
    assert set(first) <= set(LOOK_SIDES_PX)


@given(st.lists(st.floats(0.21, 3.0), min_size=12, max_size=40))
def test_looks_that_are_all_too_slow_end_at_the_smallest_size(times):
    controller = LookSizeController(LOOK_SIDES_PX, BUDGET_S)
    for seconds in times:
        controller.add_look(controller.side_px, seconds)
    assert controller.side_px == LOOK_SIDES_PX[-1]


@pytest.mark.parametrize(("side_px", "face_px"), [(640, 72), (416, 111), (256, 180)])
def test_the_smallest_face_grows_as_the_look_shrinks(side_px, face_px):
    assert compute_smallest_face_px(side_px, FULL_HD) == face_px


def test_a_change_is_a_sentence_with_sizes_and_the_smallest_face():
    down = describe_look_change(LookSizeChange("yolov8-face", 7, 256, 640, 412), FULL_HD)
    assert "256 pixels instead of 640" in down
    assert "Faces under 180 pixels" in down
    up = describe_look_change(LookSizeChange("yolov8-face", 9, 640, 512, 40), FULL_HD)
    assert "has time again" in up
