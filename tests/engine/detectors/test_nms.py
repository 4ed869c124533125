"""Clipping, non-maximum suppression, order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.geometry import Box, Size
from engine.detectors.nms import detections_from_boxes

SIZE = Size(40, 30)
RAW = st.tuples(
    st.integers(-20, 60), st.integers(-20, 60), st.integers(-5, 30), st.integers(-5, 30), st.integers(0, 10)
)


def found(raw: list[tuple[int, int, int, int, int]], overlap: float) -> list[tuple[Box, float]]:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in raw], np.float64).reshape(-1, 4)
    scores = np.array([score / 10 for *_, score in raw], np.float64)
    return [(one.box, one.score) for one in detections_from_boxes(boxes, scores, SIZE, overlap, "a")]


def visible(raw: list[tuple[int, int, int, int, int]]) -> list[tuple[Box, float]]:
    whole = [(Box(x, y, x + w, y + h), score / 10) for x, y, w, h, score in raw if w > 0 and h > 0]
    return [(clipped, score) for box, score in whole if (clipped := box.clip(SIZE)) is not None]


@given(st.lists(RAW, max_size=20), st.sampled_from([0.1, 0.3, 0.7, 1.0]))
def test_what_is_dropped_overlaps_something_better_that_is_kept(raw, overlap):
    kept = found(raw, overlap)
    for box, score in visible(raw):
        assert (box, score) in kept or any(box.iou(other) >= overlap and best >= score for other, best in kept)


@given(st.lists(RAW, max_size=20), st.sampled_from([0.1, 0.3, 0.7]))
def test_what_is_kept_was_there_and_overlaps_nothing_else_that_is_kept(raw, overlap):
    kept = found(raw, overlap)
    assert all(one in visible(raw) for one in kept)
    assert all(one.iou(other) < overlap for i, (one, _) in enumerate(kept) for other, _ in kept[:i])


@pytest.mark.slow
@given(st.lists(RAW, max_size=20), st.randoms())
def test_the_order_of_what_comes_in_does_not_matter(raw, random):
    shuffled = random.sample(raw, len(raw))
    assert found(raw, 0.3) == found(shuffled, 0.3)


@given(st.lists(RAW, max_size=20))
def test_sightings_fall_in_score_then_rise_in_place(raw):
    keys = [(-score, box.left, box.top, box.right, box.bottom) for box, score in found(raw, 0.3)]
    assert keys == sorted(keys)
