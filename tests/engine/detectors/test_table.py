"""A detector is its file, its row in the table and its packages: nothing else has a list of detectors."""

import argparse
import tomllib
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from engine.assurance.leak_check.check_detectors import choose_check_detectors
from engine.assurance.planted_faces.donor_faces import choose_second_detector
from engine.cli.arguments import add_detection
from engine.detectors.registry import detector_names, import_detector_class, local_detector_names
from engine.detectors.table import DETECTORS, DetectorRow
from engine.jobs.estimate import estimate_run
from engine.media.source.probe import probe
from engine.record import DetectOptions
from tests import clips
from tests.record_makers import make_record
from workbench.theme.palette import SKY, get_detector_colour

ROOT = Path(__file__).parents[3]


@pytest.fixture
def brightest(monkeypatch):
    """A made-up detector, known by one row of the table."""
    row = DetectorRow(
        class_path="tests.engine.detectors.brightest_region_detector:Brightest",
        frame_cost_s=0.5,
        check_role="substitute",
        check_parameters={"share": 0.1},
        crop_parameters={"share": 0.5},
    )
    monkeypatch.setitem(DETECTORS, "brightest", row)


def record_by(*detectors):
    record = make_record([[]])
    facts = tuple(msgspec.structs.replace(record.detection.detectors[0], name=name) for name in detectors)
    return msgspec.structs.replace(record, detection=msgspec.structs.replace(record.detection, detectors=facts))


@pytest.mark.usefixtures("brightest")
def test_a_new_row_is_in_the_lists():
    assert detector_names()[-1] == local_detector_names()[-1] == "brightest"
    assert import_detector_class("brightest").name == "brightest"


@pytest.mark.usefixtures("brightest")
def test_a_new_row_is_in_the_help_of_the_command_line():
    parser = argparse.ArgumentParser()
    add_detection(parser)
    assert "brightest" in parser.format_help()


@pytest.mark.usefixtures("brightest")
def test_a_new_row_is_in_the_estimate(tmp_path):
    info = probe(clips.video(tmp_path / "clip.mp4", frames=10))
    both = estimate_run((), info, DetectOptions(detectors=("mediapipe", "brightest")))
    alone = estimate_run((), info, DetectOptions(detectors=("mediapipe",)))
    assert both.seconds > alone.seconds


@pytest.mark.usefixtures("brightest")
def test_a_new_row_has_a_colour_of_its_own():
    colours = [get_detector_colour(name) for name in DETECTORS]
    assert len(set(colours)) == len(colours)
    assert SKY not in colours


@pytest.mark.usefixtures("brightest")
def test_a_new_row_checks_outputs_where_the_others_have_been_used():
    checks = choose_check_detectors(record_by("mtcnn", "yolov8-face"))
    assert [plan.name for plan in checks.scan_plans] == ["centerface", "brightest"]
    assert checks.scan_plans[1].facts.parameters["share"] == 0.1


@pytest.mark.usefixtures("brightest")
def test_a_new_row_confirms_faces_to_plant(monkeypatch):
    for name in ("yolov8-face", "centerface"):
        monkeypatch.setitem(DETECTORS, name, replace(DETECTORS[name], crop_parameters=None))
    assert choose_second_detector(record_by("mtcnn")).name == "brightest"


def test_every_local_detector_has_a_cost_and_every_check_detector_its_parameters():
    for name, row in DETECTORS.items():
        assert (row.frame_cost_s is not None) == (name in local_detector_names())
        assert (row.check_role is None) == (row.check_parameters is None)


def test_every_detector_is_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    assert [name for name in DETECTORS if f"`{name}`" not in readme] == []


def test_only_the_files_of_detectors_may_import_their_libraries():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = [
        one for one in contracts if one["name"] == "A machine-learning library is known to its detector alone"
    ]
    libraries = {library for row in DETECTORS.values() for library in row.libraries}
    assert libraries <= set(contract["forbidden_modules"])
