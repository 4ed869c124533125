from itertools import permutations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from engine.core.geometry import Box
from engine.evaluation.matching import assign_boxes

places = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(4, 20), st.integers(4, 20))
boxes = st.lists(places.map(lambda p: Box(p[0], p[1], p[0] + p[2], p[1] + p[3])), max_size=5)


def test_overlap_at_the_limit_counts_and_below_it_does_not():
    face, half = Box(0, 0, 10, 10), Box(0, 0, 10, 5)
    assert assign_boxes([face], [half], 0.5) == {0: 0}
    assert assign_boxes([face], [half], 0.5001) == {}
    assert assign_boxes([], [half], 0.5) == assign_boxes([face], [], 0.5) == {}


def test_a_box_finds_one_face_and_a_face_is_found_once():
    face = Box(0, 0, 10, 10)
    assert assign_boxes([face], [Box(0, 0, 10, 8), face], 0.35) == {0: 1}
    assert assign_boxes([Box(0, 0, 10, 8), face], [face], 0.35) == {1: 0}


def test_more_pairs_beat_one_better_pair():
    """The second box overlaps the first face by more than both pairs together; no other can find the second."""
    faces = [Box(0, 0, 100, 100), Box(50, 0, 150, 100)]
    found = [Box(-45, 0, 55, 100), Box(4, 0, 104, 100)]
    assert faces[0].iou(found[1]) > faces[0].iou(found[0]) + faces[1].iou(found[1])
    assert assign_boxes(faces, found, 0.35) == {0: 0, 1: 1}


@pytest.mark.slow
@settings(deadline=None)
@given(boxes, boxes)
def test_no_assignment_is_better(faces, found):
    def worth(pairs):
        overlaps = [faces[face].iou(found[box]) for face, box in pairs if faces[face].iou(found[box]) >= 0.35]
        return len(overlaps), sum(overlaps)

    chosen = assign_boxes(faces, found, 0.35)
    assert len(set(chosen.values())) == len(chosen)
    slots = [*range(len(found)), *[None] * len(faces)]
    options = {order[: len(faces)] for order in permutations(slots, len(faces))}
    best = max(worth([(face, box) for face, box in enumerate(order) if box is not None]) for order in options)
    assert worth(chosen.items()) == (best[0], pytest.approx(best[1]))
    assert len(chosen) == best[0]
