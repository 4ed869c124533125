from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.geometry import Box, Size
from engine.record import FusionSettings, SmoothingInFrames, TrackingInFrames
from engine.timeline import build_timeline
from tests.detection_makers import make_detections

SIZE = Size(320, 240)
GRID = 1e-6


def built(frames, values=None, **smoothing):
    timeline = timeline_of(frames, values, **smoothing)
    return timeline.faces, timeline.cuts


def timeline_of(frames, values=None, sure=None, **smoothing):
    return build_timeline(
        [make_detections(frame) for frame in frames],
        values or [0.0] * len(frames),
        SIZE,
        SimpleNamespace(fusion=FusionSettings(), tracking=TrackingInFrames(), smoothing=SmoothingInFrames(**smoothing)),
        sure,
    )


def seen(x, y=100.0, size=40.0, score=0.9):
    return {"a": [(Box(x, y, x + size, y + size), score)]}


def contains(outer, inner):
    return (
        outer.left <= inner.left + GRID
        and outer.top <= inner.top + GRID
        and outer.right >= inner.right - GRID
        and outer.bottom >= inner.bottom - GRID
    )


def test_a_face_seen_now_and_then_is_covered_throughout():
    frames = [seen(100 + k) if k in {10, 11, 15, 16} else {} for k in range(40)]
    faces, cuts = built(frames, lead=3, tail=4)
    assert cuts == ()
    assert [index for index, some in enumerate(faces) if some] == list(range(7, 21))
    assert [some[0].origin for some in faces[7:21]] == (
        ["extended"] * 3 + ["detected"] * 2 + ["interpolated"] * 3 + ["detected"] * 2 + ["extended"] * 4
    )
    assert {some[0].track for some in faces[7:21]} == {0}


def test_a_weak_sighting_on_a_sure_track_is_a_face_and_a_lone_one_is_not():
    """Box b is as weak as the last sightings of a, but nothing near it is sure."""
    frames = [seen(100, score=0.8 if k < 6 else 0.1) | {"b": [(Box(200, 10, 240, 50), 0.1)]} for k in range(10)]
    timeline = timeline_of(frames, sure={"a": 0.3, "b": 0.3})
    assert [len(some) for some in timeline.faces] == [1] * 10
    assert {some[0].origin for some in timeline.faces} == {"detected"}
    assert {some[0].track for some in timeline.faces} == {0}


def test_a_sure_sighting_that_nothing_bears_out_stands_for_a_reviewer():
    frames = [seen(100, score=0.33), *[{}] * 30, *[seen(200, score=0.31)], *[{}] * 30]
    timeline = timeline_of(frames, sure={"a": 0.3})
    assert [index for index, some in enumerate(timeline.doubtful) if some] == [0, 31]
    assert timeline.doubtful[31][0].score == 0.31
    assert not any(timeline.faces)


def test_a_face_that_is_clear_in_a_single_frame_is_covered():
    frames = [*[{}] * 30, seen(100, score=0.65), *[{}] * 30]
    timeline = timeline_of(frames, sure={"a": 0.3})
    assert timeline.faces[30]
    assert not any(timeline.doubtful)


def test_in_a_single_picture_a_sure_sighting_is_a_face_as_it_was_seen():
    timeline = timeline_of([seen(100, score=0.31) | {"b": [(Box(200, 10, 240, 50), 0.1)]}], sure={"a": 0.3, "b": 0.3})
    assert [face.box for face in timeline.faces[0]] == [Box(100, 100, 140, 140)]


def test_two_weak_detectors_that_agree_make_a_face():
    box = Box(100, 100, 140, 140)
    timeline = timeline_of([{"a": [(box, 0.2)], "b": [(box, 0.2)]}], sure={"a": 0.3, "b": 0.3})
    assert [len(face.evidence) for face in timeline.faces[0]] == [2]


def test_evidence_stands_with_detected_faces_only():
    faces, _ = built([seen(100.004, score=0.123456), {}, seen(100)])
    assert [len(some[0].evidence) for some in faces] == [1, 0, 1]
    (evidence,) = faces[0][0].evidence
    assert (evidence.detector, evidence.box.left, evidence.box.right, evidence.score) == ("a", 100.0, 140.01, 0.1235)


def test_nothing_crosses_a_cut():
    frames = [seen(100) if k < 10 or k >= 12 else {} for k in range(20)]
    faces, cuts = built(frames, [0.9 if k == 11 else 0.0 for k in range(20)])
    assert cuts == (11,)
    assert [[face.track for face in some] for some in faces] == [[0]] * 11 + [[1]] * 9
    assert faces[10][0].origin == faces[11][0].origin == "extended"


def test_a_face_that_leaves_the_picture_is_clipped_and_then_gone():
    frames = [{"a": [(Box(280 + 10 * k, 100, min(320, 320 + 10 * k), 140), 0.9)]} for k in range(3)]
    faces, _ = built([*frames, *[{}] * 8], damping=1.0, tail=8)
    assert all(face.box.is_within(SIZE) for some in faces for face in some)
    assert faces[3]
    assert not faces[-1]


def test_a_sighting_across_the_border_is_clipped_and_one_outside_is_left_out():
    faces, _ = built([{"a": [(Box(-10, -10, 30, 30), 0.9), (Box(400, 0, 440, 40), 0.9)]}])
    assert [face.box for face in faces[0]] == [Box(0, 0, 30, 30)]


def test_as_many_cut_values_as_frames_are_needed():
    with pytest.raises(ValueError, match="2 frames need as many cut values, got 1"):
        built([{}, {}], [0.0])


def test_no_frames_give_no_faces():
    assert built([]) == ([], ())


@st.composite
def boxes(draw):
    left, top = draw(st.floats(-20, 300)), draw(st.floats(-20, 220))
    return Box(left, top, left + draw(st.floats(0.5, 150)), top + draw(st.floats(0.5, 150)))


clips = st.lists(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]), st.lists(st.tuples(boxes(), st.floats(0, 1)), max_size=3), max_size=3
    ),
    min_size=1,
    max_size=20,
)
changes = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.05, 0.9, -0.9]), min_size=20, max_size=20)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(clips, changes, st.integers(0, 4), st.integers(0, 6))
def test_what_any_detector_saw_is_covered_and_the_record_holds(frames, values, window, gap):
    faces, cuts = built(frames, values[: len(frames)], window=window, gap=gap, lead=3, tail=4)
    scenes = {}
    for index, (sightings, some) in enumerate(zip(frames, faces, strict=True)):
        for box, _ in (pair for found in sightings.values() for pair in found):
            inside = box.clip(SIZE)
            visible = inside is not None and min(inside.width, inside.height) > GRID
            assert not visible or any(contains(face.box, inside) for face in some)
        assert [face.track for face in some] == sorted({face.track for face in some})
        scene = sum(cut <= index for cut in cuts)
        for face in some:
            assert face.box.is_within(SIZE)
            assert face.box == face.box.round_outwards(SIZE)
            assert (face.origin == "detected") == bool(face.evidence)
            assert all(contains(face.box, evidence.box) for evidence in face.evidence)
            assert scenes.setdefault(face.track, scene) == scene


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(clips, st.randoms(use_true_random=False))
def test_the_order_of_detectors_does_not_matter(frames, random):
    shuffled = [
        {name: sightings[name] for name in random.sample(list(sightings), len(sightings))} for sightings in frames
    ]
    assert built(shuffled) == built(frames)
