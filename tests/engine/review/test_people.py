"""Tracks are joined into people by place and looks, never when they are in one frame together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.geometry import Box
from engine.core.scenes import Scenes
from engine.errors import RecordError, ReviewError, TargetError
from engine.review.amendments import Add, Delete
from engine.review.apply import AmendedRecord
from engine.review.people import Appearance, TrackCourse, find_overlap, join_tracks, list_track_courses
from engine.review.people_file import (
    Join,
    Name,
    Split,
    UndoArrangement,
    append_arrangement,
    arrange_people,
    parse_people_action,
    read_arrangements,
)
from tests.engine.review.amendment_makers import JANE, keyframes, review_of
from tests.record_makers import make_record

HERE, THERE = Box(10, 10, 50, 50), Box(200, 100, 240, 140)
ONE_SCENE = Scenes((), 1000)


def course(track, *stretches, box=HERE, last=None):
    return TrackCourse(track, stretches, box, last or box, ())


def looks(place, *, clothes=None):
    """The looks of somebody who has the colours and the shape number `place` of eight."""
    head, shape = np.zeros(8, np.float32), np.zeros(8, np.float32)
    head[place] = shape[place] = 1
    worn = None
    if clothes is not None:
        worn = np.zeros(8, np.float32)
        worn[clothes] = 1
    return [Appearance(head, shape, worn)]


def test_looks_join_tracks_across_a_cut():
    courses = [course(0, (0, 50)), course(1, (50, 90), box=THERE), course(2, (90, 120), box=THERE)]
    joined = join_tracks(courses, {0: looks(1), 1: looks(2), 2: looks(1)}, Scenes((50, 90), 120))
    assert joined == ((0, 2), (1,))


def test_other_clothes_are_another_person():
    courses = [course(0, (0, 50)), course(1, (60, 90), box=THERE)]
    same = join_tracks(courses, {0: looks(1, clothes=3), 1: looks(1, clothes=3)}, ONE_SCENE)
    other = join_tracks(courses, {0: looks(1, clothes=3), 1: looks(1, clothes=4)}, ONE_SCENE)
    assert (same, other) == (((0, 1),), ((0,), (1,)))


def test_a_track_that_begins_where_another_ended_goes_on_with_it():
    courses = [course(0, (0, 50)), course(1, (60, 90))]
    assert join_tracks(courses, {}, ONE_SCENE) == ((0, 1),)
    assert join_tracks(courses, {}, Scenes((55,), 100)) == ((0,), (1,)), "a cut lies between them"
    assert join_tracks(courses, {0: looks(1), 1: looks(2)}, ONE_SCENE) == ((0,), (1,)), "other hair"
    far = [course(0, (0, 50)), course(1, (60, 90), box=THERE)]
    assert join_tracks(far, {}, ONE_SCENE) == ((0,), (1,))


def test_tracks_in_one_frame_are_two_people_however_alike():
    courses = [course(0, (0, 50)), course(1, (49, 90)), course(2, (90, 99))]
    joined = join_tracks(courses, dict.fromkeys(range(3), looks(1)), ONE_SCENE)
    assert len(joined) == 2
    assert find_overlap(courses) == (0, 1, 49)
    # A gap of one track may hold the other.
    assert find_overlap([course(0, (0, 10), (30, 40)), course(1, (10, 30))]) is None


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30), st.integers(0, 2)), max_size=9),
    st.randoms(use_true_random=False),
)
def test_nobody_is_in_one_frame_twice_and_the_order_does_not_matter(told, random):
    courses = [course(track, (start, start + length)) for track, (start, length, _) in enumerate(told)]
    appearances = {track: looks(look) for track, (_, _, look) in enumerate(told)}
    joined = join_tracks(courses, appearances, ONE_SCENE)
    assert sorted(track for tracks in joined for track in tracks) == list(range(len(told)))
    assert all(find_overlap([courses[track] for track in tracks]) is None for tracks in joined)
    random.shuffle(courses)
    assert join_tracks(courses, appearances, ONE_SCENE) == joined


def test_courses_stay_the_same_whatever_is_decided_and_have_what_was_added():
    record = make_record([[(10, 10, 40, 40)] if index % 4 else [] for index in range(12)])
    review = review_of(record, Delete(0, 0, 12), Add(keyframes({2: (100, 100, 120, 120), 5: (100, 100, 120, 120)})))
    found = list_track_courses(AmendedRecord(record, review))
    assert [(one.track, one.stretches) for one in found] == [(0, ((1, 4), (5, 8), (9, 12))), (1, ((2, 6),))]
    frames = [sample.frame for sample in found[0].samples]
    assert frames == sorted(set(frames))
    assert len(frames) == 4


def test_people_are_joined_split_and_named_and_the_last_change_is_undone():
    courses = [course(0, (0, 10)), course(1, (10, 20)), course(2, (20, 30))]
    found = ((0,), (1,), (2,))

    def arranged(*actions):
        return [(one.tracks, one.name) for one in arrange_people(found, courses, actions)]

    join = Join((0, 2))
    assert arranged(join) == [((0, 2), ""), ((1,), "")]
    assert arranged(Name(2, " Host "), join) == [((0, 2), "Host"), ((1,), "")]
    assert arranged(join, Split((2,))) == [((0,), ""), ((1,), ""), ((2,), "")]
    assert arranged(join, UndoArrangement()) == [((0,), ""), ((1,), ""), ((2,), "")]
    assert arranged(join, Split((0,)), UndoArrangement()) == arranged(join)
    assert arranged(UndoArrangement(), join) == arranged(join)


def test_tracks_in_one_frame_are_not_joined_by_hand_either():
    courses = [course(0, (0, 10)), course(1, (9, 20))]
    with pytest.raises(RecordError, match="Tracks 0 and 1 are both in frame 9, so they are two people"):
        arrange_people(((0,), (1,)), courses, [Join((0, 1))])
    with pytest.raises(RecordError, match="There is no track 7"):
        arrange_people(((0,), (1,)), courses, [Name(7, "Host")])


def test_arrangements_are_kept_and_those_of_another_record_do_not_count(tmp_path):
    path = tmp_path / "people.jsonl"
    assert read_arrangements(path, "a" * 64) == ()
    append_arrangement(path, "a" * 64, Join((0, 2)), JANE)
    append_arrangement(path, "b" * 64, Split((0,)), JANE)
    path.write_bytes(path.read_bytes() + b'{"torn')
    assert [one.action for one in read_arrangements(path, "a" * 64)] == [Join((0, 2))]
    append_arrangement(path, "a" * 64, Name(0, "Host"), JANE)
    assert [one.action for one in read_arrangements(path, "a" * 64)] == [Join((0, 2)), Name(0, "Host")]


def test_a_damaged_file_of_people_says_what_to_do(tmp_path):
    path = tmp_path / "people.jsonl"
    path.write_bytes(b'{"schema":"veil/people/1"}\n')
    with pytest.raises(ReviewError, match="line 1, is not an arrangement of people"):
        read_arrangements(path, "a" * 64)
    with pytest.raises(TargetError, match="cannot be written"):
        append_arrangement(tmp_path / "none" / "people.jsonl", "a" * 64, Split((0,)), JANE)


def test_an_action_from_a_browser_is_checked():
    assert parse_people_action({"kind": "join", "tracks": [1, 2]}) == Join((1, 2))
    for wrong in (None, {"kind": "join", "tracks": []}, {"kind": "sing"}, {"kind": "name", "track": -1, "name": ""}):
        with pytest.raises(RecordError, match="The people cannot be arranged so"):
            parse_people_action(wrong)
