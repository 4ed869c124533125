"""BlazeFace in a worker process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.core.geometry import Size
from engine.detectors import registry
from engine.detectors.pool import DetectorPool
from engine.errors import ModelError
from tests.engine.detectors import face_scenes
from tests.engine.detectors.worker_pools import look, pool


@pytest.fixture(scope="module")
def both(models: Path) -> Iterator[DetectorPool]:
    with pool("mediapipe", models) as crew:
        yield crew


def test_a_face_is_found_once_though_two_models_see_it(both: DetectorPool, models: Path):
    scene = face_scenes.astronaut()
    (found,) = look(both, scene.picture)
    with pool("mediapipe", models, range="short") as short, pool("mediapipe", models, range="full") as full:
        alone = [look(one, scene.picture)[0][0] for one in (short, full)]
    assert alone[0] != alone[1]
    assert found == [max(alone, key=lambda one: one.score)]
    assert found[0].box.iou(scene.face) > 0.5


def test_each_model_adds_faces_that_the_other_misses(both: DetectorPool, models: Path):
    small, large = face_scenes.astronaut().scaled(0.06), face_scenes.astronaut().filling(Size(640, 360))
    with pool("mediapipe", models, range="short", threshold=0.8) as crew:
        assert [len(found) for found in look(crew, small.picture, large.picture)] == [0, 1]
    with pool("mediapipe", models, range="full", threshold=0.5) as crew:
        assert [len(found) for found in look(crew, small.picture)] == [1]
    with pool("mediapipe", models, range="full", threshold=0.88) as crew:
        assert look(crew, large.picture) == [[]]
    assert all(any(one.box.iou(scene.face) > 0.35 for one in look(both, scene.picture)[0]) for scene in (small, large))


def test_a_higher_threshold_keeps_the_better_sightings(models: Path):
    picture = face_scenes.astronaut().scaled(0.12).picture
    with pool("mediapipe", models, threshold=0.05) as crew:
        (many,) = look(crew, picture)
    with pool("mediapipe", models, threshold=0.6) as crew:
        (few,) = look(crew, picture)
    assert few
    assert [one.score for one in few] == [one.score for one in many if one.score >= 0.6]
    assert len(many) > len(few)


def test_one_core_gives_the_same_numbers_as_all(both: DetectorPool, models: Path):
    pictures = [face_scenes.carphone(0).picture, face_scenes.carphone(40).picture, face_scenes.astronaut().picture]
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        with pool("mediapipe", models) as crew:
            alone = look(crew, *pictures)
    finally:
        os.sched_setaffinity(0, cores)
    assert alone == look(both, *pictures)


@pytest.mark.parametrize("shape", [(1, 1), (1, 640), (640, 1), (7, 5)])
def test_tiny_and_narrow_pictures_are_looked_at(both: DetectorPool, shape: tuple[int, int]):
    assert look(both, np.full((*shape, 3), 128, np.uint8)) == [[]]


def test_the_worker_holds_no_second_framework_and_no_socket(both: DetectorPool):
    look(both, face_scenes.astronaut().picture)
    process = Path("/proc") / str(both.pids[0])
    assert "mediapipe" in (maps := (process / "maps").read_text())
    assert "tensorflow" not in maps
    assert not [link for link in (process / "fd").iterdir() if str(link.readlink()).startswith("socket:")]


def test_changed_weights_are_refused(tmp_path: Path, models: Path):
    for name in ("face_detection_short_range.tflite", "face_detection_full_range.tflite"):
        (tmp_path / name).write_bytes((models / name).read_bytes() + b"\0")
    with pool("mediapipe", tmp_path) as crew, pytest.raises(ModelError, match="is not the expected file"):
        look(crew, face_scenes.astronaut().picture)


@pytest.mark.parametrize(("distance", "files"), [("short", 1), ("full", 1), ("both", 2)])
def test_the_record_names_the_models_of_the_range(distance: str, files: int):
    facts = registry.plan_detector("mediapipe", {"range": distance}).facts
    assert len(facts.models) == files
    assert facts.parameters == {"sure": 0.0, "range": distance, "threshold": 0.4, "suppression": 0.3}
    assert facts.version == {"mediapipe": "0.10.33"}
