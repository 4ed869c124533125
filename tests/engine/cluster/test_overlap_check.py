"""Ranges have frames in common, of which they must say the same."""

import dataclasses

from engine.cluster.overlap_check import find_difference
from engine.core.geometry import Box
from engine.detection.frame_detections import FrameDetections
from engine.record import Detection

FRAMES = [
    FrameDetections(number, False, 0.0, {"a": (Detection("a", Box(0, 0, 8, 8), 0.5),)} if number % 2 else {})
    for number in range(4)
]


def differ(position, **changes):
    changed = [*FRAMES]
    changed[position] = dataclasses.replace(FRAMES[position], **changes)
    return find_difference(FRAMES, changed, 0)


def test_equal_frames_agree_whatever_was_carried_into_them():
    assert find_difference(FRAMES, FRAMES, 0) is None
    assert find_difference([], [], 0) is None


def test_frames_before_the_first_that_counts_may_differ():
    changed = [dataclasses.replace(FRAMES[0], by_detector={"a": ()}), *FRAMES[1:]]
    assert find_difference(FRAMES, changed, 0) is not None
    assert find_difference(FRAMES, changed, 1) is None


def test_another_picture_is_told_from_another_answer():
    other = (Detection("a", Box(0, 0, 8, 8), 0.6),)
    assert differ(1, by_detector={"a": other}) == (1, "detected")
    assert differ(2, change=0.1) == (2, "decoded")
    assert differ(2, damaged=True) == (2, "decoded")
    assert differ(2, pts=9) == (2, "decoded")
    assert differ(2, by_detector={"a": other}) == (2, "decoded")
    assert find_difference(FRAMES, FRAMES[1:], 0) == (0, "decoded")
