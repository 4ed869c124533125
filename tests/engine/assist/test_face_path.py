"""A face followed in one direction over grey pictures."""

import cv2
import numpy as np

from engine.assist.face_path import PathEnd, PathInput, PathSettings, follow_path
from engine.core.geometry import Box, Size

SIZE = Size(640, 360)
TEXTURE = np.random.default_rng(1).integers(0, 255, (5, 4)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
"""40 rows and 32 columns of checks: what is to be followed."""


def picture(column, row=100, scale=1):
    grey = np.random.default_rng(0).integers(90, 110, (360, 640)).astype(np.uint8)
    if column is not None:
        patch = TEXTURE.repeat(scale, 0).repeat(scale, 1)[:, : 640 - column]
        grey[row : row + patch.shape[0], column : column + patch.shape[1]] = patch
    return grey


def box(column, row=100):
    return Box(column, row, column + 32, row + 40)


def follow(columns, masks=None, hidden=2):
    frames = [PathInput(i, picture(column), (masks or {}).get(i, {})) for i, column in enumerate(columns)]
    return follow_path(box(columns[0]), frames[0].grey, frames[1:], PathSettings(SIZE, hidden))


def test_a_face_is_followed_for_much_longer_than_between_two_looks():
    columns = [100 + 4 * index for index in range(100)]
    path = follow(columns)
    assert path.end is None
    assert sorted(path.boxes) == list(range(1, 100))
    assert min(path.boxes[index].iou(box(columns[index])) for index in path.boxes) > 0.9


def test_a_face_that_is_hidden_for_a_moment_is_found_again():
    path = follow([100, 102, 104, None, None, 110, 112])
    assert (sorted(path.boxes), path.end) == ([1, 2, 5, 6], None)


def test_a_face_that_stays_hidden_is_lost_where_it_was_seen_last():
    path = follow([100, 102, 104, None, None, None, 112])
    assert (sorted(path.boxes), path.end) == ([1, 2], PathEnd("lost"))
    assert follow([100, 102, None]).end == PathEnd("lost")


def test_a_face_that_leaves_the_picture_ends_there():
    path = follow([560 + 8 * index for index in range(9)] + [None] * 4)
    assert path.end == PathEnd("left")
    assert all(found.right <= 640 for found in path.boxes.values())


def test_a_face_is_followed_up_to_a_mask_that_covers_it_already():
    columns = [100 + 2 * index for index in range(8)]
    path = follow(columns, {5: {7: box(columns[5])}, 3: {2: box(300)}})
    assert (sorted(path.boxes), path.end) == ([1, 2, 3, 4], PathEnd("masked", 7))


def test_a_face_that_comes_nearer_grows():
    frames = [PathInput(i, picture(100), {}) for i in range(3)]
    grown = [cv2.resize(frames[0].grey, None, fx=f, fy=f)[:360, :640] for f in np.linspace(1, 1.5, 25)]
    path = follow_path(
        box(100), grown[0], [PathInput(i, grey, {}) for i, grey in enumerate(grown)], PathSettings(SIZE, 2)
    )
    assert 40 < path.boxes[24].width < 50


def test_a_place_without_texture_is_lost_at_once():
    flat = np.full((360, 640), 100, np.uint8)
    path = follow_path(box(100), flat, [PathInput(1, flat, {})], PathSettings(SIZE, 2))
    assert (path.boxes, path.end) == ({}, PathEnd("lost"))
