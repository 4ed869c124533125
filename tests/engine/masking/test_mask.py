from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.geometry import Box, Orientation, Size
from engine.masking.mask import compute_mask, compute_patches
from engine.masking.style import Style
from tests.engine.masking.gradient_pictures import FORMATS, plane_shape, upright

SIZE = Size(97, 75)
SHAPES = ("ellipse", "rectangle", "rounded")

corner = st.floats(-60, 140)
side = st.floats(0.3, 90)
faces = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), corner, corner, side, side)
styles = st.builds(
    Style,
    shape=st.sampled_from(SHAPES),
    scale=st.floats(0.8, 2),
    feather=st.sampled_from([0.0, 0.005, 0.1, 0.5, 1.0]),
    corner=st.floats(0, 1),
)
orientations = st.builds(
    Orientation,
    st.just(SIZE),
    st.sampled_from([Fraction(1), Fraction(16, 11), Fraction(8, 9)]),
    st.sampled_from([0, 90, 180, 270]),
    st.booleans(),
)
formats = st.sampled_from(sorted(FORMATS)).map(FORMATS.get)


def luma(boxes, style, size=SIZE):
    return compute_mask(boxes, upright(size), style, FORMATS["gray"])[0]


def test_a_hard_rectangle_is_the_whole_pixels_it_touches():
    cover = luma([Box(10.2, 20.0, 30.0, 40.7)], Style(shape="rectangle", scale=1.0, feather=0.0))
    expected = np.zeros_like(cover)
    expected[20:41, 10:30] = 255
    np.testing.assert_array_equal(cover, expected)


def test_the_default_ellipse_covers_the_whole_face_box():
    cover = luma([Box(30, 20, 60, 60)], Style())
    assert (cover[20:60, 30:60] == 255).all()


@pytest.mark.parametrize(("scale", "least"), [(1.2, 0.94), (1.0, 0.78)])
def test_a_smaller_ellipse_covers_what_geometry_says(scale, least):
    cover = luma([Box(100, 100, 500, 500)], Style(scale=scale, feather=0.0), Size(600, 600))
    share = (cover[100:500, 100:500] == 255).mean()
    assert least < share < least + 0.03


@pytest.mark.parametrize("shape", SHAPES)
def test_a_soft_edge_only_adds_outside(shape):
    box = Box(30, 20, 60, 60)
    hard, soft = (luma([box], Style(shape=shape, scale=1.2, feather=feather)) for feather in (0.0, 0.5))
    assert (soft[hard == 255] == 255).all()
    assert ((soft == 255) & (hard == 0)).sum() < 0.12 * (hard == 255).sum()
    assert ((soft > 0) & (soft < 255)).sum() > 500
    assert (soft[(0, -1), :] == 0).any()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_soft_edge_falls_from_the_mask_outwards(shape):
    row = luma([Box(40, 30, 60, 50)], Style(shape=shape, scale=1.5, feather=0.8))[40].astype(int)
    assert (np.diff(row[50:]) <= 0).all()
    assert (np.diff(row[:50]) >= 0).all()
    assert len(set(row)) > 8


def test_round_corners_are_open_and_square_ones_are_not():
    box = Box(30, 20, 60, 60)
    rounded, square = (luma([box], Style(shape=shape, scale=1.0, feather=0.0)) for shape in ("rounded", "rectangle"))
    assert rounded[20, 30] == 0
    assert square[20, 30] == 255
    assert rounded[20, 45] == rounded[40, 30] == 255


def test_a_face_outside_the_picture_touches_nothing():
    assert compute_patches(Box(200, 200, 210, 210), upright(SIZE), Style(), FORMATS["yuv420p"]) is None


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(faces, orientations, styles, formats)
def test_a_chroma_sample_is_covered_as_much_as_the_luma_it_stands_for(box, orientation, style, pixel_format):
    cover = compute_mask([box], orientation, style, pixel_format)
    for plane, found in enumerate(cover):
        assert found.shape == plane_shape(pixel_format, plane, SIZE)
        right, down = pixel_format.plane_shift(plane)
        expected = np.zeros_like(found)
        rows, columns = np.indices(cover[0].shape)
        np.maximum.at(expected, (rows >> down, columns >> right), cover[0])
        np.testing.assert_array_equal(found, expected)


@settings(max_examples=150, deadline=None)
@given(faces, orientations, st.sampled_from(["rectangle", "ellipse"]), st.floats(0, 0.5))
def test_every_pixel_a_face_touches_is_fully_covered(box, orientation, shape, feather):
    style = Style(shape=shape, scale=1.45 if shape == "ellipse" else 1.0, feather=feather)
    cover = compute_mask([box], orientation, style, FORMATS["gray"])[0]
    inside = orientation.to_coded(box).clip(orientation.coded)
    if inside is not None:
        left, top, right, bottom = inside.scale(1 - 1e-9).to_pixel_bounds()
        assert (cover[max(0, top) : bottom, max(0, left) : right] == 255).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(faces, max_size=4), orientations, styles)
def test_masks_unite(boxes, orientation, style):
    together = compute_mask(boxes, orientation, style, FORMATS["yuv420p"])
    for plane, cover in enumerate(together):
        alone = [compute_mask([box], orientation, style, FORMATS["yuv420p"])[plane] for box in boxes]
        np.testing.assert_array_equal(cover, np.max([np.zeros_like(cover), *alone], axis=0))
