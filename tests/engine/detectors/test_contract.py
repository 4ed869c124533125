"""What every detector must do, in a process of its own each."""

from __future__ import annotations

import os

import numpy as np
import pytest

from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.detectors import registry, weights
from engine.detectors.base import Detector
from engine.record import Detection
from tests.engine.detectors import face_scenes
from tests.engine.detectors.detector_subprocess import Remote
from tests.engine.detectors.detector_union import Hybrid

WOMAN = face_scenes.astronaut()
SCENES = {
    "portrait": WOMAN,
    "turned by 15 degrees": WOMAN.turned(15),
    "turned by -30 degrees": WOMAN.turned(-30),
    "20 px": WOMAN.scaled(20 / WOMAN.face.height),
    "40 px": WOMAN.scaled(40 / WOMAN.face.height),
    "400 px": WOMAN.scaled(400 / WOMAN.face.height),
    "fills a wide frame": WOMAN.filling(Size(1920, 1080)),
    "fills a tall frame": WOMAN.filling(Size(360, 640)),
    "dark": WOMAN.darkened(0.15),
    "lower half covered": WOMAN.half_covered(),
    "cut at the left": WOMAN.cut_at("left"),
    "cut at the top": WOMAN.cut_at("top"),
    "cut at the right": WOMAN.cut_at("right"),
    "cut at the bottom": WOMAN.cut_at("bottom"),
    **{f"man in a car, frame {index}": face_scenes.carphone(index) for index in face_scenes.CARPHONE_FACES},
}
BLIND = {
    "mtcnn": {"cut at the right"},
    "yolov8-face": set[str](),
    "mediapipe": set[str](),
    "centerface": {"fills a tall frame"},
    "rekognition": {"fills a tall frame"},  # so does the stand-in's own detector, at too low a score
    "hybrid": {"fills a tall frame"},
}
"""What a detector is known not to see, so that nobody believes it does; a test fails when one learns it."""
SAME_FACE = 0.5
"""IoU of a box with the face's true place; detectors draw the line of the hair and the chin differently."""


def look(detector: Detector, pictures: list[Rgb]) -> list[list[Detection]]:
    return detector.detect(pictures)


def look_at_strided(detector: Detector, picture: Rgb) -> tuple[list[Detection], bool]:
    """Sightings in the picture as a read-only view that is not contiguous, and whether its samples are unchanged."""
    wide = np.zeros((picture.shape[0], picture.shape[1] + 5, 4), np.uint8)
    view = wide[:, 2:-3, ::-1][..., 1:]
    view[:] = picture
    view.flags.writeable = False
    assert not view.flags.c_contiguous
    before = wide.copy()
    return detector.detect([view])[0], bool((wide == before).all())


def look_on_one_core(detector: Detector, picture: Rgb) -> list[Detection]:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        return detector.detect([picture])[0]
    finally:
        os.sched_setaffinity(0, cores)


def close_twice(detector: Detector) -> str:
    detector.close()
    detector.close()
    return "closed"


def found(sightings: list[Detection], face: Box) -> bool:
    return any(sighting.box.iou(face) >= SAME_FACE for sighting in sightings)


@pytest.mark.parametrize("scene", SCENES)
def test_finds_the_face(detector: Remote | Hybrid, scene: str) -> None:
    [sightings] = detector.call(look, [SCENES[scene].picture])
    assert found(sightings, SCENES[scene].face) == (scene not in BLIND.get(detector.name, set()))


def test_finds_nothing_where_nothing_is(detector: Remote | Hybrid) -> None:
    pictures = [
        np.zeros((240, 320, 3), np.uint8),
        np.full((240, 320, 3), 255, np.uint8),
        face_scenes.faceless(Size(320, 240)),
        WOMAN.picture[:250, 330:],
    ]
    assert detector.call(look, pictures) == [[], [], [], []]


@pytest.mark.parametrize("border", ["left", "top", "right", "bottom"])
def test_boxes_stay_inside_the_picture(detector: Remote | Hybrid, border: str) -> None:
    scene = WOMAN.cut_at(border)
    [sightings] = detector.call(look, [scene.picture])
    assert all(sighting.box.is_within(scene.size) for sighting in sightings)


def test_takes_pictures_of_any_size(detector: Remote | Hybrid) -> None:
    sizes = [(side, side) for side in range(1, 14)] + [(1, 400), (400, 1), (13, 500), (17, 33), (720, 21)]
    pictures = [face_scenes.faceless(Size(width, height)) for width, height in sizes]
    answers = detector.call(look, pictures)
    assert len(answers) == len(sizes)
    for answer, size in zip(answers, sizes, strict=True):
        assert all(sighting.box.is_within(Size(*size)) for sighting in answer)


def test_the_answer_depends_on_the_picture_alone(detector: Remote | Hybrid) -> None:
    pictures = [
        WOMAN.picture,
        face_scenes.carphone(40).picture,
        face_scenes.faceless(Size(512, 512)),
        WOMAN.turned(15).picture,
        np.zeros((1, 1, 3), np.uint8),
    ]
    alone = [detector.call(look, [picture])[0] for picture in pictures]
    assert [bool(answer) for answer in alone] == [True, True, False, True, False]
    assert detector.call(look, pictures) == alone
    assert detector.call(look, pictures[::-1]) == alone[::-1]
    assert detector.call(look, [WOMAN.picture] * 3) == [alone[0]] * 3
    assert detector.call(look_on_one_core, WOMAN.picture) == alone[0]


def test_no_picture_gives_no_answer(detector: Remote | Hybrid) -> None:
    assert detector.call(look, []) == []


def test_reads_any_memory_layout_and_changes_nothing(detector: Remote | Hybrid) -> None:
    [expected] = detector.call(look, [WOMAN.picture])
    assert detector.call(look_at_strided, WOMAN.picture) == (expected, True)


def test_sightings_are_sorted_and_scored(detector: Remote | Hybrid) -> None:
    men = [face_scenes.carphone(index).picture for index in (0, 110)]
    group = np.hstack([men[0], *men, WOMAN.picture[48:192, 120:320]])
    [sightings] = detector.call(look, [group])
    assert len(sightings) >= 4
    assert sightings == sorted(sightings, key=lambda one: (-one.score, one.box.left, one.box.top))
    assert all(0.0 < sighting.score <= 1.0 for sighting in sightings)
    assert {sighting.detector for sighting in sightings} == {detector.name}


def test_the_record_can_say_what_ran(detector: Remote | Hybrid) -> None:
    for name in detector.detectors:
        plan = registry.plan_detector(name)
        assert plan.facts.name == registry.import_detector_class(name).name == name
        assert plan.facts.version
        if name not in registry.local_detector_names():
            continue
        assert set(plan.facts.parameters) == set(plan.settings.__struct_fields__)
        assert plan.facts.models
        assert all(weights.find_pinned(model.name).sha256 == model.sha256 for model in plan.facts.models)


def test_closing_twice_is_allowed(detector: Remote | Hybrid) -> None:
    """The last of these tests, because it ends the detector they share."""
    assert detector.call(close_twice) == "closed"
