"""Places that look like a chosen face: found, left out where they are masked, and put on the list of items to check."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.assist import find_similar
from engine.assist.similar_regions import Example
from engine.core.geometry import Box, Size
from engine.errors import InputError
from engine.record import encode_document
from engine.review.amendments import Author
from engine.review.editor import ReviewEditor
from tests.assist_makers import CUT, FRAMES, place

SIZE = Size(640, 360)


@pytest.fixture
def editor(amended, tmp_path):
    record = tmp_path / "record.json"
    record.write_bytes(encode_document(amended.record))
    return ReviewEditor(record, tmp_path / "review.jsonl", Author("jdoe", "Jane Doe"))


def test_places_on_both_sides_of_a_cut_are_found_and_become_items_to_check(moving, editor):
    found = find_similar(moving, editor.amended, 10, place(10))
    assert (found.left_off, found.detector) == (0, None)
    spans = sorted((one.start, one.stop) for one in found.places)
    assert spans == [(0, 21), (25, 26)]
    for one in found.places:
        assert one.box.iou(place(one.frame)) > 0.6
    editor.flag_places(10, found.box, found.places)
    items = [item for item in editor.list_review_items() if item.kind == "similar"]
    assert sorted((item.start, item.stop, item.state) for item in items) == [(0, 21, "open"), (25, 26, "open")]
    assert "looks like the face that Jane Doe chose in frame 10" in items[0].reason
    # No mask follows from it.
    assert not any(editor.load_frame(index).faces for index in range(FRAMES))


def test_what_is_masked_is_not_found_again(moving, editor):
    editor.add_face({index: place(index) for index in (0, CUT - 1)})
    (left,) = find_similar(moving, editor.amended, 10, place(10)).places
    assert (left.start, left.stop) == (25, 26)
    editor.cover_frames(CUT, FRAMES)
    assert find_similar(moving, editor.amended, 10, place(10)).places == ()


@pytest.mark.slow
def test_a_folder_without_models_is_no_obstacle(moving, amended, tmp_path):
    assert find_similar(moving, amended, 10, place(10), tmp_path).detector is None


def test_a_box_that_is_too_small_is_refused(moving, amended):
    with pytest.raises(InputError, match="too small to find others"):
        find_similar(moving, amended, 10, Box(100, 100, 103, 103))


def test_another_size_is_found_and_another_colour_is_not():
    rng = np.random.default_rng(2)
    patch = cv2.resize(rng.integers(0, 255, (6, 6), dtype=np.uint8), (40, 40), interpolation=cv2.INTER_CUBIC)
    tint = np.stack([patch, patch // 2, patch // 3], axis=2)
    picture = np.full((360, 640, 3), 96, np.uint8)
    picture[50:90, 50:90] = tint
    picture[200:264, 300:364] = cv2.resize(tint, (64, 64))
    picture[200:240, 500:540] = tint[:, :, ::-1]
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    example = Example.cut(grey, picture, Box(50, 50, 90, 90), SIZE)
    assert example is not None
    found = [region.box for region in example.find(grey, picture, [])]
    assert len(found) == 2
    assert max(box.iou(Box(300, 200, 364, 264)) for box in found) > 0.6


def test_a_detector_with_a_low_threshold_looks_too(moving, amended, models):
    found = find_similar(moving, amended, 10, place(10), Path(models))
    assert found.detector == "yolov8-face"
