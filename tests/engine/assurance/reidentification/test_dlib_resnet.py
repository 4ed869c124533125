"""The real network, where `veil models fetch --benchmark` has brought it."""

import cv2
import numpy as np
import pytest
import skimage.data

from engine.assurance.reidentification.dlib_resnet import DlibResnet
from engine.assurance.reidentification.people import find_track_box
from engine.assurance.reidentification.pictures import Clip, read_frames
from engine.core.geometry import Box
from engine.errors import ModelError
from engine.media.source.probe import probe
from engine.storage.data_folder import find_data_folder
from tests.record_makers import record_of

ASTRONAUT = Box(165, 60, 285, 210)
DRIVER = (57, 24, 130, 105)


@pytest.fixture(scope="module")
def recogniser():
    models = find_data_folder().models
    if not (models / "dlib_face_recognition_resnet_model_v1.dat").exists():
        pytest.skip("a package of 100 MB: `veil models fetch --benchmark`")
    return DlibResnet(models)


def aligned(recogniser, picture, box):
    return recogniser.cut_face(picture, box, recogniser.find_placement(picture, box))


@pytest.mark.slow
def test_one_man_is_nearer_to_himself_than_to_somebody_else(recogniser, carphone):
    clip = Clip("carphone", carphone, probe(carphone), record_of(carphone, lambda _: [DRIVER]))
    pictures = [(frame.rgb(), find_track_box(clip.record, frame.index, 0)) for frame in read_frames(clip, [0, 20])]
    faces = [aligned(recogniser, *one) for one in (*pictures, (skimage.data.astronaut(), ASTRONAUT))]
    first, later, other = recogniser.embed_faces(faces)
    assert np.linalg.norm(first - later) < 0.5
    assert np.linalg.norm(first - other) > 0.6


def test_the_aligned_picture_follows_a_tilted_face(recogniser):
    picture = skimage.data.astronaut()
    turn = cv2.getRotationMatrix2D(ASTRONAUT.centre, 20, 1.0)
    tilted = cv2.warpAffine(picture, turn, picture.shape[1::-1])
    upright, turned = recogniser.find_placement(picture, ASTRONAUT), recogniser.find_placement(tilted, ASTRONAUT)
    assert abs(upright.angle_rad - turned.angle_rad) == pytest.approx(np.radians(20), abs=0.1)
    assert recogniser.cut_face(picture, ASTRONAUT, upright).shape == (150, 150, 3)


def test_nobody_is_described_by_nothing(recogniser):
    assert recogniser.embed_faces([]).shape == (0, 128)
    assert {model.name for model in recogniser.facts.models} == {
        "dlib_face_recognition_resnet_model_v1.dat", "shape_predictor_5_face_landmarks.dat"
    }  # fmt: skip


def test_missing_weights_are_answered_with_the_command_that_brings_them(tmp_path):
    with pytest.raises(ModelError, match="run `veil models fetch --benchmark`"):
        DlibResnet(tmp_path)
