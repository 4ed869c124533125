import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.geometry import Box
from engine.record import FusionSettings
from engine.timeline.fuse import fuse_detections
from tests.detection_makers import make_detections

SETTINGS = FusionSettings()


@st.composite
def boxes(draw):
    left, top = draw(st.integers(0, 200)), draw(st.integers(0, 200))
    return Box(float(left), float(top), float(left + draw(st.integers(1, 120))), float(top + draw(st.integers(1, 120))))


sightings = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.lists(st.tuples(boxes(), st.sampled_from([0.2, 0.5, 0.9])), max_size=5)
)


def contains(outer, inner):
    return outer.hull(inner) == outer


def test_two_detectors_seeing_one_face_give_one_face_with_both_as_evidence():
    one, other = Box(10, 10, 50, 60), Box(14, 12, 56, 60)
    (face,) = fuse_detections(make_detections({"b": [(other, 0.7)], "a": [(one, 0.9)]}), SETTINGS)
    assert face.box == Box(10, 10, 56, 60)
    assert [(seen.detector, seen.box, seen.score) for seen in face.evidence] == [("a", one, 0.9), ("b", other, 0.7)]


def test_of_a_detectors_own_duplicates_the_best_is_evidence_and_all_are_covered():
    best, worse = Box(10, 10, 50, 60), Box(12, 5, 52, 58)
    (face,) = fuse_detections(make_detections({"a": [(worse, 0.4), (best, 0.8)]}), SETTINGS)
    assert [seen.box for seen in face.evidence] == [best]
    assert face.box == Box(10, 5, 52, 60)


def test_parts_of_a_large_face_found_by_the_same_detector_are_that_face():
    face, forehead, chin = Box(170, 180, 590, 650), Box(240, 175, 510, 480), Box(220, 380, 520, 670)
    (fused,) = fuse_detections(make_detections({"a": [(forehead, 0.8), (face, 1.0), (chin, 0.1)]}), SETTINGS)
    assert [seen.box for seen in fused.evidence] == [face]
    assert fused.box == Box(170, 175, 590, 670)


def test_a_crowd_is_fused_as_each_of_its_people_alone():
    """All pairs are compared at once, so people far apart must not touch each other."""
    person = {"a": [(Box(10, 10, 50, 60), 0.9), (Box(12, 5, 52, 58), 0.4)], "b": [(Box(14, 12, 56, 60), 0.7)]}
    places = [(200.0 * column, 200.0 * row) for column in range(12) for row in range(12)]
    crowd = {name: [(box.move(*at), score) for at in places for box, score in found] for name, found in person.items()}
    [alone] = fuse_detections(make_detections(person), SETTINGS)
    together = fuse_detections(make_detections(crowd), SETTINGS)
    assert [face.box for face in together] == [alone.box.move(*at) for at in sorted(places)]
    assert {len(face.evidence) for face in together} == {2}


@pytest.mark.parametrize(
    ("inner", "score"),
    [
        (Box(200, 200, 300, 320), 0.5),  # much smaller: a face within a wild box
        (Box(60, 180, 360, 480), 0.5),  # half of it is outside: a face behind the other
        (Box(180, 190, 480, 500), 0.95),  # the better of the two
    ],
)
def test_another_face_within_the_box_of_a_face_stays_one(inner, score):
    outer = Box(170, 180, 590, 650)
    faces = fuse_detections(make_detections({"a": [(outer, 0.9), (inner, score)]}), SETTINGS)
    assert [face.box for face in faces] == sorted([outer, inner], key=lambda box: box.left)


def test_people_side_by_side_whose_boxes_overlap_stay_two():
    left, right = Box(0, 0, 40, 50), Box(22, 0, 62, 50)
    shifted = [Box(box.left + 2, box.top + 1, box.right + 2, box.bottom + 1) for box in (left, right)]
    faces = fuse_detections(
        make_detections({"a": [(left, 0.8), (right, 0.7)], "b": [(shifted[0], 0.6), (shifted[1], 0.9)]}), SETTINGS
    )
    assert [[seen.box for seen in face.evidence] for face in faces] == [[left, shifted[0]], [right, shifted[1]]]


def test_a_wild_box_about_a_face_does_not_swallow_it():
    face, wild = Box(100, 100, 140, 150), Box(0, 0, 300, 300)
    faces = fuse_detections(make_detections({"a": [(face, 0.9)], "b": [(wild, 0.3)]}), SETTINGS)
    assert [found.box for found in faces] == [wild, face]


def test_a_box_inside_the_face_is_the_same_face():
    face, part = Box(100, 100, 140, 150), Box(105, 105, 125, 130)
    assert [
        found.box for found in fuse_detections(make_detections({"a": [(face, 0.9)], "b": [(part, 0.3)]}), SETTINGS)
    ] == [face]


@pytest.mark.parametrize(("iou", "faces"), [(0.3, 1), (0.9, 2)])
def test_the_overlap_that_makes_one_face_is_a_setting(iou, faces):
    seen = {"a": [(Box(0, 0, 40, 40), 0.9)], "b": [(Box(10, 0, 50, 40), 0.9)]}
    assert len(fuse_detections(make_detections(seen), FusionSettings(iou=iou))) == faces


@pytest.mark.slow
@settings(deadline=None)
@given(sightings)
def test_nothing_that_any_detector_saw_is_lost(seen):
    faces = fuse_detections(make_detections(seen), SETTINGS)
    for found in seen.values():
        assert all(any(contains(face.box, box) for face in faces) for box, _ in found)
    assert all(contains(face.box, evidence.box) for face in faces for evidence in face.evidence)
    for face in faces:
        assert [evidence.detector for evidence in face.evidence] == sorted({e.detector for e in face.evidence})


@pytest.mark.slow
@settings(deadline=None)
@given(sightings, st.randoms(use_true_random=False))
def test_the_order_of_detectors_and_sightings_does_not_matter(seen, random):
    shuffled = {name: random.sample(seen[name], len(seen[name])) for name in random.sample(list(seen), len(seen))}
    assert fuse_detections(make_detections(shuffled), SETTINGS) == fuse_detections(make_detections(seen), SETTINGS)


@pytest.mark.slow
@settings(deadline=None)
@given(sightings)
def test_no_face_outgrows_its_best_sighting(seen):
    for face in fuse_detections(make_detections(seen), SETTINGS):
        best = max(face.evidence, key=lambda evidence: evidence.score)
        equals = [evidence.box.area for evidence in face.evidence if evidence.score == best.score]
        assert face.box.area <= SETTINGS.growth * max(equals)
