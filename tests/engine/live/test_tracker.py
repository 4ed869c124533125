import pytest

from engine.core.geometry import Box
from engine.detectors.base import Sighting
from engine.live.settings import Following
from engine.live.tracker import Tracks, covered_share


def at(x, y=100.0, side=40.0, score=0.9):
    return Sighting(Box(x, y, x + side, y + side), score)


@pytest.fixture
def tracks():
    return Tracks(Following())


def test_a_face_seen_now_is_its_own_box(tracks):
    tracks.see("a", 1.0, [at(10)], 0.3)
    (face,) = tracks.faces(1.0)
    assert face.box == at(10).box
    assert face.now == (("a", at(10)),)


@pytest.mark.parametrize("speed", [0.0, 200.0, -350.0])
def test_a_moving_face_stays_inside_between_two_looks(tracks, speed):
    for step in range(6):
        tracks.see("a", step * 0.12, [at(500 + speed * step * 0.12)], 0.3)
    for later in (0.04, 0.08, 0.12, 0.2):
        (face,) = tracks.faces(0.6 + later)
        assert covered_share(at(500 + speed * (0.6 + later)).box, [face.box]) == pytest.approx(1.0)
        assert face.now == ()


def test_masks_grow_with_the_age_of_the_sighting_up_to_a_limit(tracks):
    tracks.see("a", 0.0, [at(100)], 0.3)
    widths = [tracks.faces(time)[0].box.width for time in (0.0, 0.1, 0.3, 0.9, 1.0)]
    assert widths == sorted(widths)
    assert widths[0] == 40
    assert widths[-1] == pytest.approx(40 * (1 + 2 * Following().limit))


def test_a_face_is_let_go_after_it_was_held(tracks):
    tracks.see("a", 0.0, [at(100)], 0.3)
    assert tracks.faces(Following().hold)
    assert not tracks.faces(Following().hold + 0.01)


def test_sightings_of_two_detectors_are_one_face_and_both_are_covered(tracks):
    tracks.see("a", 0.0, [at(100, side=40)], 0.3)
    tracks.see("b", 0.0, [at(90, 90, side=60)], 0.3)
    (face,) = tracks.faces(0.0)
    assert face.box == Box(90, 90, 150, 150)
    assert [name for name, _ in face.now] == ["a", "b"]


def test_a_late_sighting_of_an_earlier_frame_finds_its_track(tracks):
    for step in range(10):
        tracks.see("a", step * 0.04, [at(100 + 10 * step)], 0.3)
    tracks.see("b", 0.24, [at(100 + 60)], 0.3)
    (face,) = tracks.faces(0.36)
    assert covered_share(at(190).box, [face.box]) == pytest.approx(1.0)


def test_a_sighting_of_a_later_frame_covers_the_frames_before_it(tracks):
    tracks.see("a", 1.0, [at(100)], 0.3)
    (face,) = tracks.faces(0.9)
    assert covered_share(at(100).box, [face.box]) == pytest.approx(1.0)
    assert face.box.width > 40


def test_faces_side_by_side_keep_their_tracks(tracks):
    for step in range(10):
        tracks.see("a", step * 0.04, [at(300 - 5 * step), at(100 + 5 * step)], 0.3)
    boxes = {face.number: face.box.left for face in tracks.faces(0.36)}
    assert boxes == {0: 255.0, 1: 145.0}


def test_a_weak_sighting_continues_a_track_and_begins_none(tracks):
    tracks.see("a", 0.0, [at(500, score=0.2)], 0.3)
    assert not tracks.faces(0.0)
    tracks.see("a", 0.1, [at(100)], 0.3)
    tracks.see("a", 0.2, [at(102, score=0.2)], 0.3)
    (face,) = tracks.faces(0.2)
    assert face.box == at(102).box
