from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.scenes import Scenes


@pytest.mark.parametrize(
    ("index", "scene"), [(0, (0, 5)), (4, (0, 5)), (5, (5, 9)), (8, (5, 9)), (9, (9, 12)), (11, (9, 12)), (12, (9, 12))]
)
def test_a_cut_begins_a_scene(index, scene):
    assert Scenes([5, 9], 12).find_scene(index) == scene


def test_a_video_without_cuts_is_one_scene():
    assert Scenes([], 7).find_scene(3) == (0, 7)


def test_a_cut_at_the_first_frame_changes_nothing():
    assert Scenes([0, 5], 12).find_scene(2) == Scenes([5], 12).find_scene(2)


@given(st.sets(st.integers(1, 39)), st.integers(0, 39))
def test_scenes_divide_the_video(cuts, index):
    start, stop = Scenes(sorted(cuts), 40).find_scene(index)

    assert start <= index < stop
    assert start in {0, *cuts}
    assert stop in {*cuts, 40}
    assert not cuts & set(range(start + 1, stop))
