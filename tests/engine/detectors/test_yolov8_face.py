from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.core.geometry import Size
from engine.core.picture import Rgb
from engine.detectors import registry, weights
from engine.detectors.base import Detector
from engine.detectors.yolov8_face import _decode_boxes
from engine.errors import ModelError
from engine.record import Detection
from engine.storage import files
from tests.engine.detectors import face_scenes
from tests.engine.detectors.detector_subprocess import Remote

WOMAN = face_scenes.astronaut()
PINNED = "yolov8n-face.onnx"


def look(detector: Detector, picture: Rgb) -> list[Detection]:
    return detector.detect([picture])[0]


def list_frameworks(_: Detector) -> set[str]:
    return {"torch", "torchvision", "ultralytics"} & sys.modules.keys()


def read_ultralytics_environment(_: Detector) -> dict[str, Any]:
    return {
        "offline": os.environ["YOLO_OFFLINE"],
        "folder left": os.path.exists(os.environ["YOLO_CONFIG_DIR"]),  # noqa: PTH110
    }


def reduce_to_fixed_size(_: Detector, source: Path, target: Path) -> None:
    """Export the pinned model as one that takes a single picture of 320x320 pixels and nothing else."""
    import onnx

    model = onnx.load(source)
    for value, sizes in zip((*model.graph.input, *model.graph.output), ([1, 3, 320, 320], [1, 5, 2100]), strict=True):
        for dimension, size in zip(value.type.tensor_type.shape.dim, sizes, strict=True):
            dimension.dim_value = size
    onnx.save(model, target)


def rename_classes(_: Detector, source: Path, target: Path) -> None:
    """Write a list where Ultralytics writes a table of names."""
    import onnx

    model = onnx.load(source)
    next(entry for entry in model.metadata_props if entry.key == "names").value = "['face']"
    onnx.save(model, target)


def write_checkpoint(_: Detector, target: Path, classes: int) -> None:
    """An untrained YOLOv8n as Ultralytics stores one."""
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(1)
    model = DetectionModel("yolov8n.yaml", nc=classes, verbose=False)
    model.names = {number: f"thing {number}" for number in range(classes)}
    torch.save({"model": model, "train_args": {}}, target)


@pytest.fixture(scope="module")
def yolo(models: Path) -> Iterator[Remote]:
    remote = Remote("yolov8-face", models)
    yield remote
    remote.close()


def own(path: Path) -> dict[str, object]:
    return {"weights": str(path), "sha256": files.hash_file(path), "size": 320}


def test_the_pinned_network_needs_no_framework(models: Path) -> None:
    remote = Remote("yolov8-face", models)
    assert remote.call(look, WOMAN.picture)
    assert remote.call(list_frameworks) == set()
    remote.close()


def test_boxes_come_back_in_the_pixels_of_the_picture(yolo: Remote) -> None:
    wide = WOMAN.cropped(0, 40, 512, 240)
    [small], [large] = yolo.call(look, wide.picture), yolo.call(look, wide.scaled(3).picture)
    assert small.box.iou(wide.face) > 0.7
    assert large.box.iou(small.box.scale_axes(3, 3)) > 0.9


def test_a_model_of_a_fixed_size_is_fed_that_size(yolo: Remote, models: Path, tmp_path: Path) -> None:
    yolo.call(reduce_to_fixed_size, models / PINNED, tmp_path / "fixed.onnx")
    remote = Remote("yolov8-face", models, own(tmp_path / "fixed.onnx"))
    wide = WOMAN.cropped(0, 40, 512, 240)
    sightings = remote.call(look, wide.picture)
    remote.close()
    assert [sighting.box.iou(wide.face) > 0.7 for sighting in sightings] == [True]


def test_a_checkpoint_of_the_user_is_run(yolo: Remote, models: Path, tmp_path: Path) -> None:
    yolo.call(write_checkpoint, tmp_path / "own.pt", 1)
    remote = Remote("yolov8-face", models, {**own(tmp_path / "own.pt"), "threshold": 0.01})
    sightings = remote.call(look, WOMAN.picture)
    again = remote.call(look, WOMAN.picture)
    known, surroundings = remote.call(list_frameworks), remote.call(read_ultralytics_environment)
    remote.close()
    assert sightings == again
    assert known == {"torch", "ultralytics"}
    assert surroundings == {"offline": "true", "folder left": False}


def test_a_network_that_suppresses_by_itself_is_read_as_such() -> None:
    rows = np.array([[10, 20, 30, 40, 0.9, 0], [1, 2, 3, 4, 0.1, 0], [5, 6, 7, 8, 0.8, 1]], np.float32)
    boxes, scores = _decode_boxes(rows, {0: "face", 1: "hand"}, [0], 0.5)
    assert boxes.tolist() == [[10, 20, 30, 40]]
    assert scores == pytest.approx([0.9])


def test_a_box_counts_if_its_best_class_is_a_face() -> None:
    columns = np.array([[20, 60], [30, 70], [10, 20], [20, 40], [0.9, 0.6], [0.2, 0.7]], np.float32)
    boxes, scores = _decode_boxes(columns, {0: "face", 1: "hand"}, [0], 0.5)
    assert boxes.tolist() == [[15, 20, 25, 40]]
    assert scores == pytest.approx([0.9])


def test_the_facts_name_what_runs(tmp_path: Path) -> None:
    (tmp_path / "own.pt").write_bytes(b"weights")
    checkpoint, pinned = (registry.plan_detector("yolov8-face", one).facts for one in (own(tmp_path / "own.pt"), {}))
    assert set(pinned.version) == {"openvino", "opencv-python"}
    assert set(checkpoint.version) == {"ultralytics", "torch", "opencv-python"}
    assert checkpoint.parameters["precision"] == "f32"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("classes", r"has the classes thing 0, thing 1 and none for faces"),
        ("noise", r"cannot be loaded as a YOLO model"),
        ("names", r"cannot be loaded as a YOLO model \(the names of its classes are no table"),
    ],
)
def test_weights_that_cannot_find_faces_are_refused(
    yolo: Remote, models: Path, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / ("own.onnx" if content == "names" else "own.pt")
    if content == "classes":
        yolo.call(write_checkpoint, path, 2)
    elif content == "names":
        yolo.call(rename_classes, models / PINNED, path)
    else:
        path.write_bytes(b"no model at all")
    with pytest.raises(ModelError, match=message):
        yolo.call(load_again, models, own(path))


def load_again(_: Detector, models: Path, overrides: dict[str, object]) -> None:
    plan = registry.plan_detector("yolov8-face", overrides)
    registry.import_detector_class("yolov8-face").load(plan.settings, models)


def test_a_changed_pinned_file_is_refused(yolo: Remote, models: Path, tmp_path: Path) -> None:
    shutil.copy(models / PINNED, tmp_path / PINNED)
    with (tmp_path / PINNED).open("r+b") as file:
        file.seek(4096)
        file.write(b"\0\1\2\3")
    with pytest.raises(ModelError, match=weights.find_pinned(PINNED).sha256):
        yolo.call(load_again, tmp_path, {})


def test_the_record_names_weights_of_the_user_but_not_their_folder(tmp_path: Path) -> None:
    (tmp_path / "own.onnx").write_bytes(b"weights")
    facts = registry.plan_detector("yolov8-face", own(tmp_path / "own.onnx")).facts
    assert [(model.name, model.sha256) for model in facts.models] == [
        ("own.onnx", files.hash_file(tmp_path / "own.onnx"))
    ]
    assert facts.parameters["weights"] == "own.onnx"


def test_a_lower_threshold_adds_and_takes_nothing_away(yolo: Remote, models: Path) -> None:
    remote = Remote("yolov8-face", models, {"threshold": 0.1})
    clear, unclear = WOMAN.picture, WOMAN.filling(Size(360, 640)).picture
    assert remote.call(look, clear) == yolo.call(look, clear)
    assert len(remote.call(look, unclear)) > len(yolo.call(look, unclear))
    remote.close()
