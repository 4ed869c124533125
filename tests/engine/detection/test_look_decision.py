"""A change inside a face that the looks before and after agree on needs no look; every other change does."""

from types import SimpleNamespace

import pytest

from engine.core.geometry import Box, Size
from engine.detection.look_decision import DecisionContext, LookDecider
from engine.detection.look_schedule import ScheduledFrame
from engine.record import Detection, FusionSettings

FACE, MOUTH = Box(40, 20, 80, 70), Box(0.5, 0.5, 0.6, 0.6)
CONTEXT = DecisionContext(Size(100, 100), FusionSettings(), {"a": 0.3}, 2.0, 6)


def scheduled(index, *changes, looked=False):
    return ScheduledFrame(SimpleNamespace(index=index), 0.0, looked, None, changes=changes)


def seen(*boxes, score=0.9):
    return [Detection("a", box, score) for box in boxes]


def decide(before, after, *changes, distance=3):
    decider = LookDecider(CONTEXT)
    decider.add(scheduled(0, looked=True))
    decider.add(scheduled(distance, *changes))
    decider.add(scheduled(distance + 2, looked=True))
    decider.answer(0, before)
    assert list(decider.decide()) == []
    decider.answer(distance + 2, after)
    (decision,) = decider.decide()
    assert decision.frame == distance
    return decision.looked


def decided(decisions):
    return [decision[:2] for decision in decisions]


def test_a_mouth_that_speaks_needs_no_look():
    assert not decide(seen(FACE), seen(FACE), MOUTH)
    assert not decide(seen(FACE, Box(0, 0, 9, 9)), seen(FACE), MOUTH, Box(0.45, 0.3, 0.5, 0.35))


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ([], [FACE], [MOUTH]),
        ([FACE], [], [MOUTH]),
        ([FACE], [FACE], [Box(0.1, 0.1, 0.15, 0.15)]),
        ([FACE], [FACE], [MOUTH, Box(0.1, 0.1, 0.15, 0.15)]),
        # Larger than the face: something has come before it.
        ([FACE], [FACE], [Box(0.2, 0.2, 0.95, 0.9)]),
        # The face has moved away meanwhile.
        ([FACE], [Box(0, 20, 35, 70)], [MOUTH]),
    ],
)
def test_a_change_outside_a_known_face_is_looked_at(before, after, changes):
    assert decide(seen(*before), seen(*after), *changes)


def test_a_face_that_is_not_sure_decides_nothing():
    assert not decide(seen(FACE, score=0.6), seen(FACE), MOUTH)
    assert decide(seen(FACE, score=0.59), seen(FACE), MOUTH)
    assert decide(seen(FACE), seen(FACE, score=0.59), MOUTH)


def test_looks_far_away_decide_nothing():
    assert not decide(seen(FACE), seen(FACE), MOUTH, distance=6)
    assert decide(seen(FACE), seen(FACE), MOUTH, distance=7)


def test_without_a_look_before_or_after_every_change_is_looked_at():
    decider = LookDecider(CONTEXT)
    for frame in (scheduled(1, MOUTH), scheduled(2, looked=True), scheduled(3, MOUTH), scheduled(4)):
        decider.add(frame)
    decider.answer(2, seen(FACE))
    assert decided(decider.decide()) == [(1, True)]
    assert decided(decider.close()) == [(3, True)]
    assert list(decider.close()) == []


def test_decisions_come_in_order_whatever_the_order_of_the_answers():
    decider = LookDecider(CONTEXT)
    for index in range(12):
        decider.add(scheduled(index, looked=True) if index % 3 == 0 else scheduled(index, MOUTH))
    decider.answer(9, [])
    decider.answer(6, seen(FACE))
    decider.answer(1, [])
    decider.answer(3, seen(FACE))
    assert list(decider.decide()) == []
    decider.answer(0, seen(FACE))
    assert decided(decider.decide()) == [(1, False), (2, False), (4, False), (5, False), (7, True), (8, True)]
    assert decided(decider.close()) == [(10, True), (11, True)]


def test_the_changes_that_no_face_explains_are_named():
    decider = LookDecider(CONTEXT)
    for frame in (scheduled(0, looked=True), scheduled(2, MOUTH, Box(0.1, 0.1, 0.15, 0.15)), scheduled(5, looked=True)):
        decider.add(frame)
    decider.answer(0, seen(FACE))
    decider.answer(5, seen(FACE))
    ((_, looked, unknown),) = decider.decide()
    assert looked
    assert unknown == ((Box(0.1, 0.1, 0.15, 0.15),), [FACE], [FACE])
