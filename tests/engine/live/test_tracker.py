import pytest

from engine.core.geometry import Box
from engine.live.settings import FollowingSettings
from engine.live.tracker import Tracker, compute_covered_share
from engine.record import Detection


def detection_at(x, y=100.0, side=40.0, score=0.9, detector="a"):
    return Detection(detector, Box(x, y, x + side, y + side), score)


@pytest.fixture
def tracker():
    return Tracker(FollowingSettings())


def test_a_face_seen_now_is_its_own_box(tracker):
    tracker.add_detections("a", 1.0, [detection_at(10)], 0.3)
    (face,) = tracker.locate_faces(1.0)
    assert face.box == detection_at(10).box
    assert face.detections == (detection_at(10),)


@pytest.mark.parametrize("speed", [0.0, 200.0, -350.0])
def test_a_moving_face_stays_inside_between_two_looks(tracker, speed):
    for step in range(6):
        tracker.add_detections("a", step * 0.12, [detection_at(500 + speed * step * 0.12)], 0.3)
    for later in (0.04, 0.08, 0.12, 0.2):
        (face,) = tracker.locate_faces(0.6 + later)
        assert compute_covered_share(detection_at(500 + speed * (0.6 + later)).box, [face.box]) == pytest.approx(1.0)
        assert face.detections == ()


def test_masks_grow_with_the_age_of_the_sighting_up_to_a_limit(tracker):
    tracker.add_detections("a", 0.0, [detection_at(100)], 0.3)
    widths = [tracker.locate_faces(time)[0].box.width for time in (0.0, 0.1, 0.3, 0.9, 1.0)]
    assert widths == sorted(widths)
    assert widths[0] == 40
    assert widths[-1] == pytest.approx(40 * (1 + 2 * FollowingSettings().limit))


def test_a_face_is_let_go_after_it_was_held(tracker):
    tracker.add_detections("a", 0.0, [detection_at(100)], 0.3)
    assert tracker.locate_faces(FollowingSettings().hold)
    assert not tracker.locate_faces(FollowingSettings().hold + 0.01)


def test_sightings_of_two_detectors_are_one_face_and_both_are_covered(tracker):
    tracker.add_detections("a", 0.0, [detection_at(100, side=40)], 0.3)
    tracker.add_detections("b", 0.0, [detection_at(90, 90, side=60, detector="b")], 0.3)
    (face,) = tracker.locate_faces(0.0)
    assert face.box == Box(90, 90, 150, 150)
    assert [one.detector for one in face.detections] == ["a", "b"]


def test_a_late_sighting_of_an_earlier_frame_finds_its_track(tracker):
    for step in range(10):
        tracker.add_detections("a", step * 0.04, [detection_at(100 + 10 * step)], 0.3)
    tracker.add_detections("b", 0.24, [detection_at(100 + 60)], 0.3)
    (face,) = tracker.locate_faces(0.36)
    assert compute_covered_share(detection_at(190).box, [face.box]) == pytest.approx(1.0)


def test_a_sighting_of_a_later_frame_covers_the_frames_before_it(tracker):
    tracker.add_detections("a", 1.0, [detection_at(100)], 0.3)
    (face,) = tracker.locate_faces(0.9)
    assert compute_covered_share(detection_at(100).box, [face.box]) == pytest.approx(1.0)
    assert face.box.width > 40


def test_faces_side_by_side_keep_their_tracks(tracker):
    for step in range(10):
        tracker.add_detections("a", step * 0.04, [detection_at(300 - 5 * step), detection_at(100 + 5 * step)], 0.3)
    boxes = {face.number: face.box.left for face in tracker.locate_faces(0.36)}
    assert boxes == {0: 255.0, 1: 145.0}


def test_a_weak_sighting_continues_a_track_and_begins_none(tracker):
    tracker.add_detections("a", 0.0, [detection_at(500, score=0.2)], 0.3)
    assert not tracker.locate_faces(0.0)
    tracker.add_detections("a", 0.1, [detection_at(100)], 0.3)
    tracker.add_detections("a", 0.2, [detection_at(102, score=0.2)], 0.3)
    (face,) = tracker.locate_faces(0.2)
    assert face.box == detection_at(102).box
