from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from engine.detectors import optional_imports, registry
from engine.detectors.table import DETECTORS
from engine.errors import InputError

LIBRARIES = {library for row in DETECTORS.values() for library in row.libraries}


def test_a_name_leads_to_the_class_that_bears_it() -> None:
    assert [registry.import_detector_class(name).name for name in registry.detector_names()] == list(
        registry.detector_names()
    )


def test_an_unknown_detector_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no detector 'haar'; there are mtcnn, yolov8-face, mediapipe, centerface"):
        registry.plan_detector("haar")


def test_a_plan_holds_the_defaults_and_what_was_overridden() -> None:
    plan = registry.plan_detector("mtcnn", {"min_face_size": 40})
    assert plan.facts.parameters["min_face_size"] == 40
    assert plan.facts.parameters["scale_factor"] == 0.709
    assert plan.longest_side is None


def test_the_size_a_detector_looks_at_is_the_size_it_wants() -> None:
    assert registry.plan_detector("yolov8-face", {"size": 1280}).longest_side == 1280


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"min_face": 40}, r"mtcnn has no parameter 'min_face'; it has sure, min_face_size, .*threads"),
        ({"min_face_size": "40"}, r"mtcnn cannot take min_face_size: Expected `int`, got `str`"),
        ({"threshold": 1.5}, r"mtcnn cannot take threshold: Expected `float` <= 1.0"),
        ({"threads": True}, r"mtcnn cannot take threads: Expected `int`, got `bool`"),
    ],
)
def test_a_parameter_that_cannot_be_taken_is_named(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        registry.plan_detector("mtcnn", overrides)


@pytest.mark.slow
def test_naming_and_planning_import_no_machine_learning_library() -> None:
    program = (
        "import sys\n"
        "from engine.detectors import registry\n"
        "plans = [registry.plan_detector(name) for name in registry.detector_names()]\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "engine" in loaded
    assert not loaded & LIBRARIES


def test_a_library_that_is_missing_is_answered_with_the_pip_command() -> None:
    assert importlib.util.find_spec("veil_no_such_library") is None
    with pytest.raises(InputError, match=r"run `python -m pip install 'veil-workbench\[yolov8-face\]'`"):
        optional_imports.import_library("veil_no_such_library", "ultralytics")
    with pytest.raises(InputError, match=r"veil-no-such-package is not installed: run `python -m pip install"):
        optional_imports.find_versions("veil-no-such-package")
