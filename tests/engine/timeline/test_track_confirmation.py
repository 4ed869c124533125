"""Weak evidence counts when something bears it out."""

import math

from hypothesis import given
from hypothesis import strategies as st

from engine.core.geometry import Box
from engine.record import Detection, TrackingInFrames
from engine.record.support import compute_support
from engine.timeline.track_confirmation import find_held_detections, is_face

SETTINGS = TrackingInFrames(support=4.0, toll=1.0)


def held_frames(track, hold):
    frames, support = [frame for frame, _ in track], [value for _, value in track]
    return {frames[place] for place in find_held_detections(frames, support, hold)}


def seen(**scores):
    return [Detection(name, Box(0, 0, 10, 10), score) for name, score in scores.items()]


def test_two_detectors_that_are_half_sure_are_as_good_as_one():
    assert compute_support(seen(a=0.15, b=0.2), {"a": 0.3, "b": 0.4}) == 1.0
    assert compute_support(seen(a=0.3), {"a": 0.3, "b": 0.4}) == 1.0
    assert compute_support(seen(b=0.2), {"a": 0.3, "b": 0.4}) == 0.5


def test_a_detector_without_a_threshold_is_always_sure():
    assert compute_support(seen(a=0.01), {"a": 0.0}) == math.inf
    assert compute_support(seen(a=0.01), {}) == math.inf
    assert is_face([(7, math.inf)], SETTINGS)


def test_a_face_seen_in_every_frame_is_one_and_a_leaf_seen_now_and_then_is_not():
    assert is_face([(frame, 1.8) for frame in range(6)], SETTINGS)
    assert not is_face([(frame, 1.8) for frame in range(0, 60, 3)], SETTINGS)


def test_a_hidden_face_stays_one_for_what_it_was_before():
    assert is_face([*((frame, 3.0) for frame in range(5)), *((frame, 0.3) for frame in range(5, 40))], SETTINGS)


def test_two_detectors_sure_of_one_frame_are_enough():
    assert is_face([(3, 6.0)], SETTINGS)
    assert not is_face([(3, 2.0)], SETTINGS)


def test_weak_sightings_carry_a_track_on_while_they_are_close():
    track = [(0, 0.4), (10, 0.4), (13, 0.4), (15, 2.0), (30, 0.4), (40, 2.0), (44, 0.4), (60, 0.4)]
    assert held_frames(track, 5) == {10, 13, 15, 30, 40, 44}


def test_weak_sightings_alone_hold_nothing():
    assert held_frames([(0, 0.9), (1, 0.9)], 5) == set()


tracks = st.dictionaries(st.integers(0, 50), st.floats(0.0, 5.0), min_size=1).map(lambda some: sorted(some.items()))


@given(tracks, st.integers(1, 20))
def test_every_sure_sighting_and_all_between_two_are_held(track, hold):
    kept = held_frames(track, hold)
    sure = [frame for frame, value in track if value >= 1.0]
    assert kept >= {frame for frame, _ in track if sure and sure[0] <= frame <= sure[-1]}
    assert kept <= {frame for frame, _ in track}
    assert bool(kept) == bool(sure)


@given(tracks, st.floats(0.0, 3.0))
def test_more_support_never_costs_a_face(track, more):
    if is_face(track, SETTINGS):
        assert is_face([(frame, value + more) for frame, value in track], SETTINGS)
