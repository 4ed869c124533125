"""CenterFace in a worker process, and its arithmetic."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.core.geometry import Size
from engine.detectors import registry
from engine.detectors.centerface import _decode_boxes
from engine.detectors.pool import DetectorPool
from engine.detectors.processor import preferred_precision
from engine.errors import InputError, ModelError
from tests.engine.detectors import face_scenes
from tests.engine.detectors.worker_pools import look, pool


@pytest.fixture(scope="module")
def detector(models: Path) -> Iterator[DetectorPool]:
    with pool("centerface", models) as crew:
        yield crew


def test_a_cell_says_where_a_face_is_and_how_large():
    centres, sizes, offsets = (np.zeros((1, values, 8, 12), np.float32) for values in (1, 2, 2))
    centres[0, 0, 3, 5] = 0.75
    centres[0, 0, 7, 0] = 0.25
    sizes[0, :, 3, 5] = np.log([6.0, 4.0])
    offsets[0, :, 3, 5] = 0.25, -0.25
    boxes, scores = _decode_boxes(centres, sizes, offsets, 0.5)
    x, y, width, height = (5 - 0.25 + 0.5) * 4, (3 + 0.25 + 0.5) * 4, 16, 24
    assert boxes == pytest.approx(np.array([[x - width / 2, y - height / 2, x + width / 2, y + height / 2]]), rel=1e-6)
    assert scores.tolist() == [0.75]
    assert len(_decode_boxes(centres, sizes, offsets, 0.25)[0]) == 2
    assert _decode_boxes(centres, sizes, offsets, 0.8)[0].shape == (0, 4)


@pytest.mark.parametrize("factor", [0.25, 0.7, 1.0, 1.37, 3.0])
def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(detector: DetectorPool, factor: float):
    scene = face_scenes.astronaut().scaled(factor)
    (found,) = look(detector, scene.picture)
    assert len(found) == 1
    assert found[0].box.iou(scene.face) > 0.7
    assert found[0].box.is_within(scene.size)


def test_small_faces_are_found_because_pictures_are_enlarged(detector: DetectorPool, models: Path):
    scene = face_scenes.astronaut().scaled(0.08)
    assert scene.face.width < 10
    with pool("centerface", models, enlargement=1.0) as crew:
        assert look(crew, scene.picture) == [[]]
    (found,) = look(detector, scene.picture)
    assert [one.box.iou(scene.face) > 0.35 for one in found] == [True]


def test_a_face_that_fills_the_frame_is_found(detector: DetectorPool):
    scene = face_scenes.astronaut().filling(Size(1280, 720))
    (found,) = look(detector, scene.picture)
    assert found[0].box.iou(scene.face) > 0.5


def test_neither_threads_nor_cores_nor_company_change_a_number(detector: DetectorPool, models: Path):
    pictures = [face_scenes.carphone(0).picture, face_scenes.carphone(40).picture, face_scenes.astronaut().picture]
    expected = look(detector, *pictures)
    assert [look(detector, one)[0] for one in reversed(pictures)] == expected[::-1]
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        with pool("centerface", models, threads=2) as crew:
            assert look(crew, *pictures) == expected
    finally:
        os.sched_setaffinity(0, cores)


@pytest.mark.parametrize("shape", [(1, 1), (1, 1280), (3000, 1), (33, 65)])
def test_tiny_and_narrow_pictures_are_looked_at(detector: DetectorPool, shape: tuple[int, int]):
    assert look(detector, np.full((*shape, 3), 128, np.uint8)) == [[]]


def test_missing_weights_are_told(tmp_path: Path):
    with pool("centerface", tmp_path) as crew, pytest.raises(ModelError, match=r"centerface.onnx is missing"):
        look(crew, face_scenes.astronaut().picture)


def test_parameters_are_recorded_and_checked():
    plan = registry.plan_detector("centerface", {"size": 960, "threshold": 0.2})
    assert plan.longest_side == 960
    assert plan.facts.parameters == {
        "size": 960,
        "sure": 0.0,
        "enlargement": 2.0,
        "mirror": False,
        "overview": 0,
        "turned": 0,
        "precision": preferred_precision(),
        "threshold": 0.2,
        "suppression": 0.3,
        "threads": 1,
    }
    assert [model.name for model in plan.facts.models] == ["centerface.onnx"]
    with pytest.raises(InputError):
        registry.plan_detector("centerface", {"enlargement": 0.5})


def test_a_mirror_changes_nothing_for_a_face_that_is_seen_anyway(detector: DetectorPool, models: Path):
    scene = face_scenes.astronaut()
    with pool("centerface", models, mirror=True) as crew:
        (found,) = look(crew, scene.picture)
    assert [one.box.iou(scene.face) > 0.7 for one in found] == [True]
    assert found[0].score >= look(detector, scene.picture)[0][0].score
