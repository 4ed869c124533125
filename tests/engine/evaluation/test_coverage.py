from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from engine.core.geometry import Box, Orientation, Size
from engine.core.picture import PixelFormat
from engine.evaluation.coverage import measure_hidden_share
from engine.masking.mask import compute_mask
from engine.masking.presets import style_from_preset
from engine.masking.style import Style
from tests.record_makers import make_video

UPRIGHT = Orientation.upright(Size(200, 160))
EXACT = Style(method="solid", shape="rectangle", scale=1.0, feather=0.0)
edges = st.integers(0, 120)


def test_the_hidden_share_is_the_share_of_the_area():
    face = Box(40, 40, 80, 80)
    assert measure_hidden_share(face, [face], UPRIGHT, EXACT) == 1.0
    assert measure_hidden_share(face, [], UPRIGHT, EXACT) == 0.0
    assert measure_hidden_share(face, [Box(40, 40, 80, 50)], UPRIGHT, EXACT) == 0.25
    assert measure_hidden_share(face, [Box(40, 40, 80, 50), Box(40, 45, 80, 60)], UPRIGHT, EXACT) == 0.5
    assert measure_hidden_share(face, [Box(120, 40, 160, 80)], UPRIGHT, EXACT) == 0.0


def test_parts_of_pixels_count_as_parts():
    assert measure_hidden_share(Box(10.5, 10, 12.5, 12), [Box(12, 10, 20, 12)], UPRIGHT, EXACT) == 0.25


def test_a_soft_edge_hides_nothing():
    hard, soft = (Style(method="solid", shape="ellipse", scale=1.2, feather=feather) for feather in (0.0, 1.0))
    box, face = Box(60, 60, 100, 100), Box(50, 50, 110, 110)
    share = measure_hidden_share(face, [box], UPRIGHT, hard)
    assert 0.3 < share < 0.6
    assert measure_hidden_share(face, [box], UPRIGHT, soft) == pytest.approx(share, abs=0.03)


def test_the_default_style_hides_the_whole_box_it_is_drawn_about():
    assert measure_hidden_share(Box(50, 40, 90, 100), [Box(50, 40, 90, 100)], UPRIGHT, style_from_preset()) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
@given(data=st.data())
def test_it_is_what_the_whole_mask_hides(rotation, mirrored, data):
    orientation = Orientation(Size(120, 160), Fraction(3, 2), rotation, mirrored)
    places = st.tuples(edges, edges, st.integers(4, 39), st.integers(4, 39))
    boxes = st.lists(places.map(lambda p: Box(p[0], p[1], p[0] + p[2], p[1] + p[3])), max_size=3)
    face, others = data.draw(boxes.filter(bool))[0], data.draw(boxes)
    (mask,) = compute_mask(
        others, orientation, style_from_preset(), PixelFormat("gray", 8, (0, 0), "y", full_range=False)
    )
    fine = np.kron(mask == 255, np.ones((1, 3)))  # coded pixels are 3/2 display pixels wide: thirds of one make halves
    left, top, right, bottom = (
        round(edge * factor) for edge, factor in zip(edges_of(orientation.to_coded(face)), (3, 1, 3, 1), strict=True)
    )
    assert measure_hidden_share(face, others, orientation, style_from_preset()) == pytest.approx(
        fine[top:bottom, left:right].mean(), abs=1e-6
    )


def edges_of(box):
    return box.left, box.top, box.right, box.bottom


def test_the_orientation_is_the_recorded_one():
    video = make_video(1, coded=Size(720, 576), sample_aspect_ratio="16/15", rotation=90, mirrored=True)
    assert video.orientation == Orientation(Size(720, 576), Fraction(16, 15), 90, mirrored=True)
