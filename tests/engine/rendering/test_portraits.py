"""Portraits of faces, and the looks that tell people apart."""

import numpy as np

from engine.core.geometry import Box
from engine.rendering.portraits import cut_portrait, measure_appearance
from engine.review.people import compare_appearances


def person(hair, skin, shirt, at=(100, 40), light=1.0):
    """A picture of somebody: hair, face with eyes and mouth, shirt; and the box of the face."""
    x, y = at
    picture = np.full((240, 320, 3), 90, np.uint8)
    picture[y - 20 : y + 60, x - 10 : x + 60] = hair
    picture[y : y + 60, x : x + 50] = skin
    picture[y + 15 : y + 22, x + 8 : x + 18] = picture[y + 15 : y + 22, x + 32 : x + 42] = 20
    picture[y + 42 : y + 48, x + 14 : x + 36] = (150, 40, 40)
    picture[y + 70 : y + 200, x - 40 : x + 90] = shirt
    noise = np.random.default_rng(x + y).integers(-6, 7, picture.shape)
    return np.clip(picture * light + noise, 0, 255).astype(np.uint8), Box(x, y, x + 50, y + 60)


DARK = {"hair": (40, 30, 20), "skin": (200, 150, 120), "shirt": (30, 60, 160)}
FAIR = {"hair": (200, 180, 90), "skin": (235, 200, 180), "shirt": (160, 40, 40)}


def test_one_person_is_known_again_elsewhere_and_two_are_told_apart():
    ann, ann_later = measure_appearance(*person(**DARK)), measure_appearance(*person(**DARK, at=(180, 30)))
    bob = measure_appearance(*person(**FAIR))
    assert compare_appearances([ann], [ann_later]) >= 1
    assert compare_appearances([ann], [bob]) < 1
    other_shirt = measure_appearance(*person(**(DARK | {"shirt": (40, 150, 40)})))
    assert compare_appearances([ann], [other_shirt]) < 1


def test_looks_are_the_same_each_time():
    one, other = measure_appearance(*person(**DARK)), measure_appearance(*person(**DARK))
    assert one.head.tobytes() == other.head.tobytes()
    assert one.shape.tobytes() == other.shape.tobytes()


def test_clothes_outside_of_the_picture_are_left_out_and_a_tiny_face_has_no_looks():
    picture, _ = person(**DARK)
    assert measure_appearance(picture, Box(100, 180, 150, 240)).clothes is None
    assert measure_appearance(picture, Box(10, 10, 12, 12)) is None


def test_a_portrait_at_the_border_is_filled_with_black():
    portrait = cut_portrait(np.full((240, 320, 3), 200, np.uint8), Box(0, 0, 40, 40), 64)
    assert portrait.shape == (64, 64, 3)
    assert portrait[0, 0].tolist() == [0, 0, 0]
    assert portrait[40, 40].tolist() == [200, 200, 200]
