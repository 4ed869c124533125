"""The places of carried faces in a track, and in the timeline."""

import random
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from engine.core.geometry import Box, Size
from engine.record import FusionSettings, SmoothingInFrames, TrackingInFrames
from engine.timeline.build import Looks, build_timeline
from engine.timeline.carried import CarriedPath, PathsByLook, place_carried, place_track
from tests.detection_makers import make_detections


def box(left, top=100.0):
    return Box(left, top, left + 40, top + 40)


def path(look, step, *lefts, source=None):
    return CarriedPath(look, source or box(100), step, tuple(box(left) for left in lefts))


def test_a_path_belongs_to_the_face_that_it_starts_at():
    near, far = path(0, 1, 101), path(0, 1, 301, source=box(300))
    paths = PathsByLook([near, far, path(5, 1, 101)])
    assert list(paths.find_paths(0, box(302))) == [far]
    assert list(paths.find_paths(0, box(102))) == [near]
    assert not list(paths.find_paths(0, box(200)))
    assert not list(paths.find_paths(1, box(100)))


def test_where_both_ways_agree_the_nearer_look_weighs_more():
    placed = place_carried({0: box(100), 4: box(120)}, [path(0, 1, 104, 108, 112), path(4, -1, 116, 112, 108)], 30)
    assert [round(placed[frame].left, 2) for frame in (1, 2, 3)] == [105.0, 110.0, 115.0]


def test_where_they_disagree_both_places_are_covered():
    placed = place_carried({0: box(100), 2: box(120)}, [path(0, 1, 100), path(2, -1, 170)], 30)
    assert (placed[1].left, placed[1].right) == (100, 210)


def test_a_box_that_was_carried_one_way_only_is_checked_against_the_straight_line():
    placed = place_carried({0: box(100), 2: box(200)}, [path(0, 1, 100)], 30)
    assert (placed[1].left, placed[1].right) == (100, 190)
    assert place_carried({0: box(100), 9: box(200)}, [path(0, 1, 100)], 3)[1] == box(100)


def test_the_nearest_look_knows_best():
    placed = place_carried({0: box(100), 2: box(140)}, [path(0, 1, 100, 100, 100), path(2, 1, 144)], 0)
    assert placed[3] == box(144)


@pytest.mark.slow
def test_a_long_track_is_placed_as_a_short_one():
    """The detections of a track are taken in windows; paths and gaps reach over the ends of each."""
    chance = random.Random(5)
    detected, frame = {}, 3
    while len(detected) < 1700:  # four windows
        detected[frame] = box(100 + frame % 50 + chance.randrange(10) / 10)
        frame += chance.choice([1, 2, 5, 5, 5, 40])
    paths = [
        path(look, step, *(seen.left + chance.randrange(30) for _ in range(chance.randrange(9))), source=seen)
        for look, seen in detected.items()
        for step in (1, -1)
    ]
    chance.shuffle(paths)
    # Sorting keeps the order of the paths of one look.
    expected = place_carried(detected, sorted((one for one in paths if one.boxes), key=lambda one: one.look), 30)
    placed = list(
        place_track(
            np.array(list(detected)),
            np.array([msgspec.structs.astuple(one) for one in detected.values()]),
            PathsByLook(one for one in paths if one.boxes),
            30,
        )
    )
    assert [frame for frame, _ in placed] == sorted(expected)
    assert dict(placed) == expected


def timeline(frames, looked, paths, **smoothing):
    settings = SimpleNamespace(
        fusion=FusionSettings(),
        tracking=TrackingInFrames(),
        smoothing=SmoothingInFrames(**{"breadth": 0.0, "margin": 0.0, "window": 0} | smoothing),
    )
    looks = Looks(0.04, [index in looked for index in range(len(frames))], paths)
    seen = [make_detections(frame) for frame in frames]
    return build_timeline(seen, [0.0] * len(frames), Size(640, 360), settings, {"a": 0.4}, looks)


def test_carried_faces_are_told_from_interpolated_and_extended_ones():
    frames = [{"a": [(box(100), 0.9)]} if index in {2, 6} else {} for index in range(12)]
    made = timeline(frames, {2, 6, 11}, [path(2, 1, 103, 106), path(6, 1, 100)], lead=1, tail=3)
    origins = [faces[0].origin if faces else None for faces in made.faces]
    assert origins == [
        None,
        "extended",
        "detected",
        "carried",
        "carried",
        "interpolated",
        "detected",
        "carried",
        "extended",
        "extended",
        None,
        None,
    ]
    assert all(not faces or bool(faces[0].evidence) == (faces[0].origin == "detected") for faces in made.faces)


def test_only_looks_speak_against_a_face():
    """Ten frames between two weak sightings that no detector was given say nothing."""
    frames = [{"a": [(box(100), 0.7)]} if index in {0, 10} else {} for index in range(11)]
    assert not timeline(frames, set(range(11)), []).faces[0]
    assert timeline(frames, {0, 10}, []).faces[0]
