"""Where two accounts of a video differ."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.geometry import Box
from engine.evaluation.record_diff import PlacedBox, compare_accounts, list_detected, list_masked
from engine.record import Detection
from engine.review.amendments import Amendment, Author, Delete, Review
from engine.review.apply import AmendedRecord
from tests.engine.evaluation.truth_makers import record_of

HERE, THERE = Box(100, 100, 150, 160), Box(500, 100, 510, 110)


def placed(box, track=0):
    return PlacedBox(track, box)


def test_equal_accounts_do_not_differ():
    account = [(placed(HERE),)] * 5
    diff = compare_accounts(account, account)
    assert (diff.differences, diff.frames, diff.frames_differing) == ((), 5, 0)
    assert diff.both["from_48"] == 5


def test_what_only_one_has_is_a_stretch_of_its_track():
    first = [(placed(HERE),), (placed(HERE), placed(THERE, 4)), (placed(HERE), placed(THERE, 4)), (placed(HERE),)]
    second = [(placed(HERE),)] * 3 + [()]
    diff = compare_accounts(first, second)
    assert [(one.kind, one.track, one.start, one.stop) for one in diff.differences] == [
        ("first", 0, 3, 4),
        ("first", 4, 1, 3),
    ]
    assert (diff.first["under_24"], diff.first["from_48"], diff.frames_differing) == (2, 1, 3)
    mirrored = compare_accounts(second, first)
    assert {one.kind for one in mirrored.differences} == {"second"}
    assert mirrored.second == diff.first


def test_the_same_face_at_another_place_was_moved():
    moved = Box(110, 110, 160, 170)
    (difference,) = compare_accounts([(placed(HERE),)], [(placed(moved),)]).differences
    assert (difference.kind, difference.box) == ("moved", HERE)


def test_only_the_given_frames_are_compared():
    diff = compare_accounts([(placed(HERE),)] * 4, [()] * 4, range(1, 3))
    assert (diff.frames, diff.differences[0].start, diff.differences[0].stop) == (2, 1, 3)


def test_an_empty_range_is_not_the_whole_video():
    assert compare_accounts([(placed(HERE),)], [()], range(0)).frames == 0


def test_a_record_before_and_after_its_review():
    box = tuple(map(float, (100, 100, 150, 160)))
    record = record_of([[box]] * 3)
    deleted = Amendment(
        "veil/amendment/1", 1, "ab" * 32, Author("jd", "Jane"), "2026-01-01T10:00:00Z", "a clock", Delete(0, 1, 3)
    )
    review = Review("ab" * 32, (deleted,), "cd" * 32)
    before, after = list_masked(AmendedRecord(record)), list_masked(AmendedRecord(record, review))
    (difference,) = compare_accounts(before, after).differences
    assert (difference.kind, difference.start, difference.stop) == ("first", 1, 3)


def test_a_detector_has_its_own_boxes_and_its_possible_faces():
    record = record_of([[((100, 100, 150, 160), {"a": (101, 101, 149, 159)})]])
    doubt = Detection("a", THERE, 0.3)
    frame = msgspec.structs.replace(record.frames[0], doubtful=(doubt, Detection("b", HERE, 0.3)))
    record = msgspec.structs.replace(record, frames=(frame,))
    assert list_detected(record, "a") == [(PlacedBox(0, Box(101, 101, 149, 159)), PlacedBox(-1, THERE))]
    assert list_detected(record, "b") == [(PlacedBox(-2, HERE),)]


_boxes = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(8, 40)).map(
    lambda p: Box(p[0], p[1], p[0] + p[2], p[1] + p[2])
)
_frames = st.lists(st.lists(_boxes, max_size=4, unique=True).map(
    lambda boxes: tuple(PlacedBox(track, box) for track, box in enumerate(boxes))), max_size=5)  # fmt: skip


@pytest.mark.slow
@given(_frames, _frames)
def test_every_face_is_counted_once(first, second):
    diff = compare_accounts(first, second)
    assert sum(diff.both.values()) + sum(diff.first.values()) == sum(map(len, first))
    assert sum(diff.both.values()) + sum(diff.second.values()) == sum(map(len, second))
