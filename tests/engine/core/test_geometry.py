import math
from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given

from engine.core.geometry import Box, Orientation, Size

edges = st.floats(-500, 2500, allow_nan=False)


@st.composite
def boxes(draw):
    left, top = draw(edges), draw(edges)
    return Box(left, top, left + draw(st.floats(0.5, 900)), top + draw(st.floats(0.5, 900)))


def test_a_box_without_area_cannot_be_built():
    with pytest.raises(ValueError, match="left < right"):
        Box(5, 0, 5, 9)
    with pytest.raises(ValueError, match="finite"):
        Box(0, 0, math.nan, 9)


def test_iou_of_halves():
    assert Box(0, 0, 10, 10).iou(Box(0, 0, 10, 5)) == pytest.approx(0.5)
    assert Box(0, 0, 10, 10).iou(Box(10, 0, 20, 10)) == 0.0


def test_hull_covers_both_and_overlap_is_symmetric():
    one, other = Box(0, 0, 4, 4), Box(2, 1, 9, 3)
    assert one.hull(other) == Box(0, 0, 9, 4)
    assert one.intersection_area(other) == other.intersection_area(one) == 4


@given(boxes())
def test_whole_pixels_cover_the_box(box):
    left, top, right, bottom = box.to_pixel_bounds()
    assert left <= box.left and top <= box.top and right >= box.right and bottom >= box.bottom
    assert right - box.right <= 1 and box.left - left <= 1


@given(boxes())
def test_rounding_never_loses_what_is_inside_the_frame(box):
    size = Size(1920, 1080)
    inside, rounded = box.clip(size), box.round_outwards(size)
    if inside is None:
        assert rounded is None
        return
    assert rounded is not None
    assert rounded.is_within(size)
    assert rounded.left <= inside.left + 1e-6 and rounded.right >= inside.right - 1e-6
    assert rounded.top <= inside.top + 1e-6 and rounded.bottom >= inside.bottom - 1e-6
    assert rounded.round_outwards(size) == rounded


def test_a_box_over_the_border_is_clipped_not_dropped():
    assert Box(-5, -5, 10, 10).clip(Size(8, 8)) == Box(0, 0, 8, 8)
    assert Box(9, 9, 10, 10).clip(Size(8, 8)) is None


def test_fit_keeps_the_aspect_and_never_enlarges():
    assert Size(1920, 1080).fit(640) == Size(640, 360)
    assert Size(320, 240).fit(640) == Size(320, 240)
    assert Size(4000, 2).fit(100) == Size(100, 1)


@pytest.mark.parametrize(
    ("rotation", "mirrored", "expected"),
    [
        (0, False, Box(1, 2, 3, 5)),
        (90, False, Box(2, 77, 5, 79)),
        (180, False, Box(97, 75, 99, 78)),
        (270, False, Box(95, 1, 98, 3)),
        (0, True, Box(97, 2, 99, 5)),
    ],
)
def test_display_boxes_are_found_in_the_coded_picture(rotation, mirrored, expected):
    assert Orientation(Size(100, 80), rotation=rotation, mirrored=mirrored).to_coded(Box(1, 2, 3, 5)) == expected


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_orientation_agrees_with_turning_the_picture_itself(rotation, mirrored):
    import numpy as np

    coded = np.zeros((6, 10), np.uint8)
    coded[1:3, 2:7] = 1
    orientation = Orientation(Size(10, 6), rotation=rotation, mirrored=mirrored)
    seen = np.rot90(coded[:, ::-1] if mirrored else coded, -(rotation // 90))
    assert seen.shape == (orientation.display_size.height, orientation.display_size.width)
    rows, columns = np.nonzero(seen)
    box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert orientation.to_coded(box) == Box(2, 1, 7, 3)


def test_non_square_pixels_widen_the_display():
    orientation = Orientation(Size(720, 480), Fraction(8, 9))
    assert orientation.display_size == Size(640, 480)
    assert orientation.to_coded(Box(0, 0, 320, 480)).right == pytest.approx(360)


def test_only_quarter_turns_exist():
    with pytest.raises(ValueError, match="45"):
        Orientation(Size(2, 2), rotation=45)
