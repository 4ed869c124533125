import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.geometry import Box
from engine.record import Detection, TrackingInFrames
from engine.timeline.fuse import FusedFace
from engine.timeline.track import assign_tracks

SETTINGS = TrackingInFrames()


def face(x, y=100.0, size=40.0, score=None):
    box = Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2)
    return FusedFace(box, () if score is None else (Detection("a", box, score),))


def tracks(frames, cuts=(), tracking=SETTINGS):
    return list(assign_tracks(frames, cuts, tracking, {"a": 0.5}))


def test_a_still_face_keeps_its_track_and_numbers_start_at_zero():
    assert tracks([[face(100)]] * 4) == [[0]] * 4


def test_numbers_follow_the_order_of_appearance():
    assert tracks([[face(100)], [face(100), face(400)], [face(100), face(400), face(700)]]) == [[0], [0, 1], [0, 1, 2]]


def test_a_face_is_found_again_within_the_patience_and_not_after_it():
    tracking = TrackingInFrames(patience=5)
    assert tracks([[face(100)], *[[]] * 5, [face(100)]], tracking=tracking)[-1] == [0]
    assert tracks([[face(100)], *[[]] * 6, [face(100)]], tracking=tracking)[-1] == [1]


def test_no_track_crosses_a_cut():
    assert tracks([[face(100)]] * 4, cuts=(2,)) == [[0], [0], [1], [1]]


@pytest.mark.parametrize("hidden", [0, 3, 9])
def test_two_people_who_cross_keep_their_tracks(hidden):
    """One walks right behind the other, who walks left; while they overlap most only the front one is seen."""
    frames = []
    for k in range(60):
        back, front = face(100 + 6 * k, 100), face(454 - 6 * k, 104)
        covered = abs(k - 29.5) < hidden / 2
        frames.append([front] if covered else [back, front])
    found = tracks(frames)
    assert found[0] == found[-1] == [0, 1]
    assert all(numbers[-1] == 1 for numbers in found)


def test_motion_carries_a_track_over_a_gap():
    frames = [[face(100 + 10 * k)] if not 12 <= k < 18 else [] for k in range(30)]
    assert {number for numbers in tracks(frames) for number in numbers} == {0}


def test_a_face_far_away_is_another_track():
    assert tracks([[face(100)], [face(300)]]) == [[0], [1]]


def test_a_face_of_quite_another_size_nearby_is_another_track():
    assert tracks([[face(100, size=20)], [face(112, size=120)]]) == [[0], [1]]


def test_fast_motion_within_reach_is_followed_without_overlap():
    tracking = TrackingInFrames(reach=1.2)
    assert tracks([[face(100)], [face(145)], [face(190)]], tracking=tracking) == [[0], [0], [0]]
    assert tracks([[face(100)], [face(145)]]) == [[0], [1]]


def test_the_track_of_a_face_does_not_continue_in_a_weak_box_beside_it():
    """The face moves away from a weak box that a detector finds beside it, which then lies nearer to where it was."""
    frames = [[face(200, size=100, score=0.9)]] * 3
    frames += [[face(200 + 40 * k, size=100, score=0.9), face(190 + 40 * k - 30, size=100, score=0.1)] for k in (1, 2)]
    found = tracks(frames)
    assert [numbers[0] for numbers in found] == [0] * 5
    assert found[3][1] == found[4][1] == 1


def test_a_face_that_is_weak_for_a_while_keeps_its_track():
    scores = [0.9, 0.9, 0.1, 0.1, 0.9]
    assert tracks([[face(100 + 4 * k, score=score)] for k, score in enumerate(scores)]) == [[0]] * 5


def test_a_track_that_was_sure_goes_before_one_that_never_was():
    """A sure box lies as near to the weak track as to that of the face, which was not found for a moment."""
    weak, sure = face(140, score=0.1), face(100, score=0.9)
    assert tracks([[sure, weak], [weak], [face(121, score=0.9)]]) == [[0, 1], [1], [0]]


@pytest.mark.parametrize("inertia", [0.0, 1.0])
def test_every_inertia_is_possible(inertia):
    found = tracks([[face(100 + 5 * k)] for k in range(10)], tracking=TrackingInFrames(inertia=inertia))
    assert found == [[0]] * 10


places = st.lists(st.lists(st.floats(50, 600), max_size=4), min_size=1, max_size=25)


@settings(deadline=None)
@given(places, st.sets(st.integers(0, 24)))
def test_a_track_is_in_a_frame_once_and_in_one_scene_only(xs, cuts):
    found = tracks([[face(x) for x in row] for row in xs], cuts)
    scenes = {}
    for index, (row, numbers) in enumerate(zip(xs, found, strict=True)):
        assert len(set(numbers)) == len(numbers) == len(row)
        scene = sum(cut <= index for cut in cuts if cut > 0)
        assert all(scenes.setdefault(number, scene) == scene for number in numbers)
    flat = [number for numbers in found for number in numbers]
    assert sorted(set(flat)) == list(range(len(set(flat))))
