from itertools import pairwise

import pytest

from engine.assurance.leak_check.report import LeakSettings
from engine.assurance.leak_check.sampling import expand_to_region, plan_sampling
from engine.core.geometry import Box, Size
from engine.record import Detection
from engine.review.apply import AmendedFace, AmendedFrame

SIZE, BOX = Size(320, 240), Box(100, 80, 140, 120)
SETTINGS = LeakSettings(budget=4.0)


def frames(count, tracks, covered=(), doubtful=()):
    """Frames in which each track has a box wherever `tracks[number](index)` gives one."""
    return [
        AmendedFrame(
            index,
            index,
            tuple(
                AmendedFace(number, box, "detected", ())
                for number, place in enumerate(tracks)
                if (box := place(index)) is not None
            ),
            index in covered,
            (Detection("mtcnn", BOX, 0.8),) if index in doubtful else (),
        )
        for index in range(count)
    ]


def within(start, stop, box=BOX):
    return lambda index: box if start <= index < stop else None


def looked(scene, cuts=(), settings=SETTINGS):
    return sorted({part.frame_index for part in plan_sampling(scene, cuts, SIZE, settings).regions})


def test_a_track_that_is_there_throughout_needs_no_parts():
    where = plan_sampling(frames(60, [within(0, 60)]), (), SIZE, SETTINGS)
    assert where.regions == ()
    assert sorted(where.whole_frames) == [0, 12, 24, 36, 48, 59]


def test_a_gap_of_one_frame_is_looked_at():
    assert looked(frames(60, [lambda index: None if index == 30 else BOX])) == [30]


def test_frames_beside_a_gap_s_ends_are_looked_at_without_exception():
    found = looked(frames(100, [lambda index: None if 30 <= index < 60 else BOX]))
    assert {30, 31, 58, 59} <= set(found)
    assert set(found) <= set(range(30, 60))
    assert max(after - before for before, after in pairwise(found)) <= 8


def test_before_the_first_mask_and_after_the_last_the_place_is_looked_at():
    assert looked(frames(100, [within(40, 60)])) == [28, 32, 36, 38, 39, 60, 61, 63, 67, 71]


def test_nothing_is_looked_for_across_a_cut():
    assert looked(frames(100, [within(40, 60)]), cuts=(40, 60)) == []


def test_both_sides_of_a_cut_are_looked_at_whole():
    assert {29, 30} <= plan_sampling(frames(60, [within(0, 60)]), (30,), SIZE, SETTINGS).whole_frames


def test_frames_without_any_mask_are_looked_at_twice_as_often():
    assert len(plan_sampling(frames(120, []), (), SIZE, SETTINGS).whole_frames) == 21


def test_a_place_under_another_mask_and_a_covered_frame_need_no_look():
    assert looked(frames(60, [within(20, 40), within(0, 60)])) == []
    assert looked(frames(60, [within(20, 40)], covered=range(60))) == []


def test_the_budget_keeps_what_is_nearest_to_a_mask_and_counts_the_rest():
    where = plan_sampling(frames(100, [within(40, 60)]), (), SIZE, LeakSettings(budget=0.04))
    assert [part.frame_index for part in where.regions] == [38, 39, 60, 61]
    assert where.left_out_count == 6


def test_what_the_detection_doubted_is_looked_at():
    assert looked(frames(60, [], doubtful=range(20, 30))) == [20, 24, 28]


@pytest.mark.parametrize("box", [BOX, Box(0, 0, 10, 10), Box(300, 200, 320, 240)])
def test_a_region_holds_the_face_and_lies_in_the_frame(box):
    region = expand_to_region(box, SIZE)
    assert region.is_within(SIZE)
    assert region.intersection_area(box) == box.area
    assert max(region.width, region.height) >= 32
