"""Several looks at one picture become one answer."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.geometry import Box
from engine.detectors.test_time_augmentation import View, detect_in_views, list_views

PICTURE = np.zeros((60, 100, 3), np.uint8)
PICTURE[20:40, 10:30] = 255


def bright(picture, size):
    """A detector that sees the bright square, the surer the larger it looks, and draws it a pixel wide of the left."""
    rows, columns = np.nonzero(picture[..., 0])
    box = [columns.min() - 1, rows.min(), columns.max() + 1, rows.max() + 1]
    return np.array([box], np.float64), np.array([size / 1000])


def test_every_size_is_looked_at_once_and_once_in_the_mirror():
    assert list(list_views([640, 1280, 640], mirror=False)) == [View(640, mirrored=False), View(1280, mirrored=False)]
    assert list(list_views([640], mirror=True)) == [View(640, mirrored=False), View(640, mirrored=True)]


def test_what_is_seen_in_the_mirror_is_turned_back():
    (seen,) = detect_in_views(PICTURE, bright, [View(500, mirrored=True)], 0.5, "a")
    assert seen.box == Box(10, 20, 31, 40)  # the pixel too many is at the right now


def test_one_face_seen_in_several_ways_is_one_sighting_with_the_best_score():
    (seen,) = detect_in_views(PICTURE, bright, list(list_views([300, 600], mirror=True)), 0.5, "a")
    assert (seen.box, seen.score) == (Box(9, 20, 30, 40), 0.6)


def test_different_faces_are_not_made_one():
    def by_size(_picture, size):
        return np.array([[size / 10, 0.0, size / 10 + 20, 20.0]]), np.array([0.5])

    assert [
        one.box.left for one in detect_in_views(PICTURE, by_size, list(list_views([100, 500], mirror=False)), 0.5, "a")
    ] == [10, 50]


@pytest.mark.parametrize("mirror", [False, True])
def test_nothing_seen_is_no_sighting(mirror):
    nothing = np.empty((0, 4)), np.empty(0)
    assert detect_in_views(PICTURE, lambda *_: nothing, list(list_views([640], mirror=mirror)), 0.5, "a") == []


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_what_is_seen_in_a_turned_copy_is_turned_back_and_trusted_less(turns):
    def exact(picture, _size):
        rows, columns = np.nonzero(picture[..., 0])
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return np.array([box], np.float64), np.array([0.5])

    oblong = PICTURE.copy()
    oblong[20:40, 30:55] = 255
    (seen,) = detect_in_views(oblong, exact, [View(500, quarter_turns=turns)], 0.5, "a")
    assert (seen.box, seen.score) == (Box(10, 20, 55, 40), pytest.approx(0.4))


def test_turned_copies_are_three_more_views():
    assert len(list(list_views([640], mirror=False, turned=320))) == 4


def test_small_faces_of_an_overview_do_not_count():
    """The square is a third of the picture's height; a quarter of that is too small."""
    views = list(list_views([500], mirror=False, overview=50))
    assert [view.overview for view in views] == [False, True]
    (seen,) = detect_in_views(PICTURE, bright, views[1:], 0.5, "a")
    assert seen.box == Box(9, 20, 30, 40)
    small = PICTURE.copy()
    small[25:] = 0
    assert detect_in_views(small, bright, views[1:], 0.5, "a") == []
    assert len(detect_in_views(small, bright, views[:1], 0.5, "a")) == 1


def test_a_small_picture_has_no_overview():
    """Its longest side is 100."""
    views = list(list_views([500], mirror=False, overview=80))
    (seen,) = detect_in_views(PICTURE, bright, views, 0.5, "a")
    assert seen.score == 0.5
