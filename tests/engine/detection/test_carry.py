"""Faces that are carried by template matching from looks into the frames between."""

import numpy as np
import pytest

from engine.core.geometry import Box, Size
from engine.detection.carry import Carrier, CarryContext, CarryInput
from engine.detection.frame_detections import FrameDetections
from engine.record import Detection, FusionSettings, ScheduleSettings

DISPLAY = Size(640, 360)
TEXTURE = np.random.default_rng(1).integers(0, 255, (5, 4)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
"""40 rows and 32 columns of checks: what is to be followed."""


def picture(column=None, row=100):
    grey = np.random.default_rng(0).integers(90, 110, (360, 640)).astype(np.uint8)
    if column is not None:
        grey[row : row + 40, column : column + 32] = TEXTURE
    return grey


def box(column, row=100):
    return Box(column, row, column + 32, row + 40)


def run(columns, looked, found=None, **schedule):
    """Carry over frames with the texture at `columns` (None: it is hidden); detections at `found` of the looks."""
    context = CarryContext(DISPLAY, ScheduleSettings(interval_s=0.2, **schedule), 0.04, FusionSettings(), {"a": 0.5})
    carrier, paths = Carrier(context), []
    for index, column in enumerate(columns):
        seen = index in looked and index in (looked if found is None else found)
        by_detector = {"a": (Detection("a", box(column), 0.9),) if seen else ()} if index in looked else {}
        given = CarryInput(index, picture(column), index == len(columns) - 1)
        paths += carrier.take(given, FrameDetections(index, False, 0.0, by_detector))
    return paths


def test_a_face_is_carried_both_ways_between_two_looks():
    columns = [100 + 7 * index for index in range(6)]
    forwards, backwards = sorted(run(columns, {0, 5}), key=lambda path: -path.step)
    assert (forwards.look, forwards.step, backwards.look, backwards.step) == (0, 1, 5, -1)
    for path in (forwards, backwards):
        assert len(path.boxes) == 4
        for distance, carried in enumerate(path.boxes, start=1):
            assert carried.iou(box(columns[path.look + path.step * distance])) > 0.9


def test_a_face_that_one_look_missed_is_carried_past_it():
    columns = [100 + 3 * index for index in range(11)]
    paths = run(columns, {0, 5, 10}, found={0, 10})
    assert sorted((path.look, len(path.boxes)) for path in paths) == [(0, 9), (10, 9)]


def test_a_face_that_is_hidden_is_lost_there():
    columns = [100, 102, 104, None, None, None]
    (path,) = run(columns, {0, 5}, found={0})
    assert len(path.boxes) == 2


def test_a_face_is_carried_for_so_long_only():
    (path,) = run([100] * 31, {0, 30}, found={0}, carry_s=0.4)
    assert len(path.boxes) == 10


def test_what_has_no_texture_is_not_carried():
    context = CarryContext(DISPLAY, ScheduleSettings(interval_s=0.2), 0.04, FusionSettings(), {"a": 0.5})
    carrier, flat = Carrier(context), np.full((360, 640), 100, np.uint8)
    seen = FrameDetections(0, False, 0.0, {"a": (Detection("a", box(100), 0.9),)})
    assert carrier.take(CarryInput(0, flat, False), seen) == ()
    assert carrier.take(CarryInput(1, flat, True), FrameDetections(1, False, 0.0, {})) == ()


def test_faint_noise_is_not_carried():
    context = CarryContext(DISPLAY, ScheduleSettings(interval_s=0.2), 0.04, FusionSettings(), {"a": 0.5})
    carrier = Carrier(context)
    seen = FrameDetections(0, False, 0.0, {"a": (Detection("a", box(100), 0.1),)})
    carrier.take(CarryInput(0, picture(100), False), seen)
    assert carrier.take(CarryInput(1, picture(100), True), FrameDetections(1, False, 0.0, {})) == ()


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_boxes_are_in_display_pixels_whatever_the_size_of_the_grey_picture(scale):
    context = CarryContext(
        Size(round(640 * scale), round(360 * scale)), ScheduleSettings(interval_s=0.2), 0.04, FusionSettings(), {}
    )
    carrier = Carrier(context)
    seen = FrameDetections(0, False, 0.0, {"a": (Detection("a", box(100).scale_axes(scale, scale), 0.9),)})
    carrier.take(CarryInput(0, picture(100), False), seen)
    (path,) = carrier.take(CarryInput(1, picture(106), True), FrameDetections(1, False, 0.0, {}))
    assert path.boxes[0].iou(box(106).scale_axes(scale, scale)) > 0.9
