"""RetinaFace: what is its own; the rest is in test_contract.py."""

import numpy as np
import pytest

from engine.core.geometry import Size
from engine.detectors import registry
from engine.detectors.processor import has_bf16, lists_bf16, preferred_precision
from engine.errors import InputError, ModelError
from tests.engine.detectors import face_scenes
from tests.engine.detectors.worker_pools import look, pool


def test_a_small_second_look_finds_a_face_larger_than_the_largest_anchor(models):
    scene = face_scenes.astronaut().filling(Size(1920, 1080))
    for overview, expected in ((480, True), (0, False)):
        with pool("retinaface", models, overview=overview) as detectors:
            [detections] = look(detectors, scene.picture)
        assert any(detection.box.iou(scene.face) >= 0.5 for detection in detections) == expected


@pytest.mark.parametrize("name", ["retinaface", "centerface"])
def test_bf16_finds_the_same_faces_or_is_refused(models, name):
    pictures = [face_scenes.carphone(0).picture, face_scenes.carphone(40).picture, face_scenes.astronaut().picture]
    with pool(name, models, precision="f32") as detectors:
        exact = look(detectors, *pictures)
    with pool(name, models, precision="bf16") as detectors:
        if not has_bf16():
            with pytest.raises(InputError, match=f"set {name}.precision=f32"):
                look(detectors, *pictures)
            return
        coarse = look(detectors, *pictures)
    for one, other in zip(exact, coarse, strict=True):
        assert len(one) == len(other) == 1
        assert one[0].box.iou(other[0].box) > 0.95
        assert one[0].score == pytest.approx(other[0].score, abs=0.03)


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("processor : 0\nflags\t\t: fpu avx512_bf16 sse\n", True),
        ("flags : fpu amx_bf16\n", True),
        ("flags : fpu avx512_bf16x\n", False),
        ("model name : avx512_bf16\nflags : fpu\n", False),
        ("", False),
    ],
)
def test_bf16_is_read_from_the_flags(cpuinfo, expected):
    assert lists_bf16(cpuinfo) == expected


def test_parameters_are_recorded(models):
    plan = registry.plan_detector("retinaface", {"size": 960})
    assert plan.longest_side == 960
    assert plan.facts.parameters["precision"] == preferred_precision()
    assert plan.facts.models[0].name == "retinaface-mobilenet025.onnx"


def test_missing_weights_are_named(tmp_path):
    with pool("retinaface", tmp_path) as detectors, pytest.raises(ModelError, match=r"mobilenet025.onnx is missing"):
        look(detectors, np.zeros((64, 64, 3), np.uint8))
