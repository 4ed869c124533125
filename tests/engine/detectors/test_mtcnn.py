from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.detectors import mtcnn_cascade as cascade
from engine.detectors.base import Detector
from engine.record import Detection
from tests.engine.detectors import face_scenes
from tests.engine.detectors.detector_subprocess import Remote

WOMAN = face_scenes.astronaut()
SIDES = st.integers(1, 3000)
FACES = st.integers(6, 1500)
FACTORS = st.floats(0.3, 0.95)


def look(detector: Detector, picture: Rgb) -> list[Detection]:
    return detector.detect([picture])[0]


def look_with_the_package(_: Detector, picture: Rgb) -> list[Box]:
    """What the package itself finds in the picture, in the process where its framework is loaded already."""
    from mtcnn import MTCNN

    faces = MTCNN().detect_faces(picture, box_format="xyxy", output_type="numpy")
    return [Box(*map(float, face[1:5])) for face in faces]


def telemetry(_: Detector) -> object:
    return sys.modules.get("openvino_telemetry", "absent")


@pytest.fixture(scope="module")
def mtcnn(models: Path) -> Iterator[Remote]:
    remote = Remote("mtcnn", models)
    yield remote
    remote.close()


@pytest.fixture(scope="module")
def for_large_faces(models: Path) -> Iterator[Remote]:
    remote = Remote("mtcnn", models, {"min_face_size": 300, "scale_factor": 0.5})
    yield remote
    remote.close()


# The pyramid.


@given(SIDES, SIDES, FACES, FACTORS)
def test_the_pyramid_reaches_from_the_smallest_face_to_the_whole_picture(
    width: int, height: int, face: int, factor: float
) -> None:
    size = Size(width, height)
    scales = cascade.pyramid_scales(size, face, factor)
    if min(width, height) < face:
        assert scales == []
        return
    assert scales[0] * face == pytest.approx(cascade.WINDOW_PX)
    assert scales[-1] * min(width, height) == pytest.approx(cascade.WINDOW_PX)
    steps = [smaller / larger for larger, smaller in itertools.pairwise(scales)]
    assert all(factor * (1 - 1e-9) <= step < 1 for step in steps)


@pytest.mark.parametrize(("width", "height"), [(12, 12), (31, 500), (1920, 1080), (77, 45)])
def test_every_level_has_room_for_a_window_and_keeps_the_mean(width: int, height: int) -> None:
    picture = np.full((height, width, 3), 200, np.float32)
    scales = cascade.pyramid_scales(Size(width, height), 12, 0.709)
    levels = list(cascade.build_pyramid(picture, scales))
    assert [level.shape[1] for level in levels] == [max(12, int(width * scale)) for scale in scales]
    assert all(min(level.shape[:2]) >= cascade.WINDOW_PX for level in levels)
    assert all(np.allclose(level, 200, atol=0.2) for level in levels)
    assert min(levels[-1].shape[:2]) == cascade.WINDOW_PX


def test_a_picture_smaller_than_the_smallest_face_is_enlarged_for_it() -> None:
    scales = cascade.pyramid_scales(Size(8, 10), 6, 0.709)
    assert [level.shape[:2] for level in cascade.build_pyramid(np.zeros((10, 8, 3), np.float32), scales)] == [
        (20, 16),
        (15, 12),
    ]


# The steps between the networks.


def test_a_proposal_lies_where_its_window_looked() -> None:
    scores, offsets = np.zeros((3, 4), np.float32), np.zeros((3, 4, 4), np.float32)
    scores[1, 2] = 0.9
    boxes, kept = cascade.decode_proposals(scores, offsets, 0.6, scale=0.5)
    assert boxes.tolist() == [[10.0, 6.0, 32.0, 28.0]]
    assert kept.tolist() == [pytest.approx(0.9)]


def test_a_square_keeps_the_centre_and_the_longer_side() -> None:
    assert cascade.expand_to_squares(np.array([[10.0, 20.0, 20.0, 50.0]])).tolist() == [[0.0, 20.0, 30.0, 50.0]]


def test_offsets_move_edges_by_box_sizes() -> None:
    moved = cascade.apply_offsets(np.array([[0.0, 0.0, 9.0, 19.0]]), np.array([[0.1, 0.1, -0.1, 0.5]], np.float32))
    assert moved.tolist() == [[pytest.approx(1), pytest.approx(2), pytest.approx(8), pytest.approx(29)]]


def test_a_crop_of_the_whole_picture_is_the_picture_and_beyond_it_is_grey() -> None:
    picture = np.arange(24 * 24 * 3, dtype=np.float32).reshape(24, 24, 3)
    whole, beyond = cascade.crop_boxes(picture, np.array([[0.0, 0.0, 24.0, 24.0], [-90.0, -90.0, -30.0, -30.0]]), 24)
    assert np.allclose(whole, picture)
    assert (beyond == 127.5).all()


def test_a_box_goes_when_it_overlaps_any_better_one() -> None:
    boxes = np.array([[6.0, 0.0, 16.0, 10.0], [0.0, 0.0, 10.0, 10.0], [3.0, 0.0, 13.0, 10.0], [40.0, 0.0, 50.0, 10.0]])
    scores = np.array([0.7, 0.9, 0.8, 0.6], np.float32)
    assert cascade.select_distinct(boxes, scores, 0.5).tolist() == [1, 3]
    assert cascade.select_distinct(boxes, scores, 0.6).tolist() == [1, 2, 0, 3]


def test_a_box_inside_another_goes_when_the_share_is_of_the_smaller() -> None:
    boxes, scores = np.array([[0.0, 0.0, 40.0, 40.0], [10.0, 10.0, 20.0, 20.0]]), np.array([0.9, 0.8], np.float32)
    assert cascade.select_distinct(boxes, scores, 0.7).tolist() == [0, 1]
    assert cascade.select_distinct(boxes, scores, 0.7, relative_to_smaller=True).tolist() == [0]


@pytest.mark.slow
def test_blocks_do_not_show_in_the_answer() -> None:
    corners = np.random.default_rng(3).uniform(0, 300, (1300, 2))
    boxes, scores = np.hstack([corners, corners + 25]), np.random.default_rng(4).uniform(size=1300).astype(np.float32)
    kept = cascade.select_distinct(boxes, scores, 0.4)
    as_values = [Box(*box) for box in boxes[np.argsort(-scores)].tolist()]
    alone = [box for number, box in enumerate(as_values) if all(box.iou(other) <= 0.4 for other in as_values[:number])]
    assert [Box(*box) for box in boxes[kept].tolist()] == alone


# The detector.


@pytest.mark.parametrize(
    "picture",
    [
        WOMAN.picture,
        WOMAN.scaled(0.2).picture,
        WOMAN.scaled(2.1).picture,
        WOMAN.half_covered().picture,
        WOMAN.cut_at("left").picture,
        np.hstack([face_scenes.carphone(0).picture, face_scenes.carphone(80).picture]),
        face_scenes.carphone(110).scaled(4).picture,
    ],
    ids=["portrait", "small", "large", "covered", "cut", "two men", "man"],
)
def test_every_face_that_the_package_finds_is_found(mtcnn: Remote, picture: Rgb) -> None:
    theirs = mtcnn.call(look_with_the_package, picture)
    ours = mtcnn.call(look, picture)
    assert theirs
    assert all(max(sighting.box.iou(box) for sighting in ours) >= 0.8 for box in theirs)


@pytest.mark.parametrize("width", [1080, 1920])
def test_a_large_least_size_still_finds_a_face_that_fills_the_frame(for_large_faces: Remote, width: int) -> None:
    scene = WOMAN.filling(Size(width, 1080))
    assert [sighting.box.iou(scene.face) > 0.5 for sighting in for_large_faces.call(look, scene.picture)] == [True]


def test_a_large_least_size_leaves_small_faces_out(mtcnn: Remote, for_large_faces: Remote) -> None:
    small = WOMAN.scaled(40 / WOMAN.face.height)
    group = np.tile(small.picture, (4, 4, 1))
    assert len(mtcnn.call(look, group)) == 16
    assert for_large_faces.call(look, group) == []


def test_openvino_cannot_report_its_use(mtcnn: Remote) -> None:
    assert mtcnn.call(telemetry) is None
