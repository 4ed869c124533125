"""Options of a detection that depend on the source."""

import cv2
import numpy as np
import pytest
import skimage.data

import engine
from engine.detection.options import adapt_to_source, plan_detectors
from engine.detectors.modes import MODES
from engine.media.source.probe import probe
from engine.record import DetectOptions
from tests import clips


@pytest.fixture(scope="module")
def photograph(tmp_path_factory):
    """An astronaut in the corner of a picture of 1920x1080."""
    path = tmp_path_factory.mktemp("photograph") / "a.png"
    picture = np.full((1080, 1920, 3), 128, np.uint8)
    picture[:512, :512] = skimage.data.astronaut()
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


def read_sizes(options):
    return {plan.name: plan.facts.parameters["size"] for plan in plan_detectors(options)}


@pytest.mark.parametrize("mode", ["on-prem", "hybrid"])
def test_single_picture_is_looked_at_larger_than_a_frame(photograph, mode):
    options = DetectOptions(mode)
    adapted = adapt_to_source(options, probe(photograph))
    larger = {name for name, size in read_sizes(adapted).items() if size > read_sizes(options)[name]}
    assert larger == {"centerface", "retinaface"}
    assert adapt_to_source(adapted, probe(photograph)) == adapted


def test_frame_of_a_video_is_looked_at_as_the_options_say(tmp_path):
    options = DetectOptions()
    assert adapt_to_source(options, probe(clips.video(tmp_path / "a.mp4"))) == options


def test_what_the_options_set_stays(photograph):
    options = DetectOptions(
        parameters={"retinaface": {"size": 640, "threshold": 0.2}, "centerface": {"threshold": 0.1}}
    )
    adapted = adapt_to_source(options, probe(photograph))
    assert adapted.parameters["retinaface"] == {"size": 640, "enlargement": 3.0, "threshold": 0.2}
    assert adapted.parameters["centerface"] == {"size": 3840, "enlargement": 3.0, "threshold": 0.1}


@pytest.mark.parametrize(
    "options", [DetectOptions("live"), DetectOptions("cloud"), DetectOptions(detectors=("mtcnn",))]
)
def test_detectors_without_parameters_for_single_pictures_stay(photograph, options):
    assert adapt_to_source(options, probe(photograph)) == options


def test_modes_name_parameters_that_their_detectors_have():
    for mode in MODES.values():
        assert mode.single_picture.keys() <= {*mode.detectors}
        plan_detectors(DetectOptions(mode.name, parameters=mode.single_picture))


def test_record_of_a_photograph_states_the_size(photograph, own_data, tmp_path):
    record = engine.detect(photograph, tmp_path / "a.json", data=own_data)
    assert {facts.parameters["size"] for facts in record.detection.detectors} == {3840}
    assert len(record.frames[0].faces) == 1
