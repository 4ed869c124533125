"""A word in the picture of a draft: where it is seen, in every format, and nothing else changes."""

import numpy as np
import pytest

from engine.core.geometry import Orientation, Size
from engine.masking.watermark import Watermark
from tests.engine.masking.gradient_pictures import FORMATS, copy, noise, upright

SIZE = Size(320, 240)


def changed(one, other):
    return one.planes[0] != other.planes[0]


@pytest.mark.parametrize("name", FORMATS)
def test_the_word_stands_in_two_corners_and_nothing_else_changes(name):
    before = noise(FORMATS[name], SIZE)
    after = copy(before)
    stamp = Watermark("DRAFT", FORMATS[name], upright(SIZE))
    stamp.draw_on(after)
    there = changed(before, after)
    assert there[:12, :50].mean() > 0.9 and there[-12:, -50:].mean() > 0.9
    assert not there[40:-40].any() and not there[:40, 160:].any() and not there[-40:, :160].any()
    again = copy(before)
    stamp.draw_on(again)
    assert not changed(after, again).any()


@pytest.mark.parametrize(("rotation", "mirrored"), [(90, False), (180, False), (270, False), (90, True), (0, True)])
def test_it_is_upright_as_the_picture_is_seen(rotation, mirrored):
    shown = Size(240, 320) if rotation in {90, 270} else SIZE
    before = noise(FORMATS["gray"], SIZE)
    expected = noise(FORMATS["gray"], shown)
    for picture, orientation in (
        (before, Orientation(SIZE, rotation=rotation, mirrored=mirrored)),
        (expected, upright(shown)),
    ):
        for plane in picture.planes:
            plane[...] = 7
        Watermark("DRAFT", FORMATS["gray"], orientation).draw_on(picture)
    seen = before.planes[0][:, ::-1] if mirrored else before.planes[0]
    assert np.array_equal(np.rot90(seen, -rotation // 90), expected.planes[0])
