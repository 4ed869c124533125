import pytest

from engine.core.geometry import Box
from engine.live.judge import Judge
from engine.live.settings import FollowingSettings, JudgingSettings
from engine.record import Detection

FACE = [Detection("beside", Box(10, 10, 50, 50), 0.9)]


@pytest.fixture
def judge():
    """A judge that has judged frame 0; frames come every 40 ms, and an answer may be 100 ms old."""
    judge = Judge({"each": True, "beside": False}, JudgingSettings(age=0.1), FollowingSettings())
    add_frame(judge, 0)
    judge.add_answer("beside", 0, FACE)
    assert judge.judge_frame(0, 0.3).reason is None
    return judge


def add_frame(judge, number, beginning=None, *, answered=True):
    judge.add_frame(number, number * 0.04, beginning)
    if answered:
        judge.add_answer("each", number, [])


def test_a_frame_needs_the_answer_on_itself(judge):
    add_frame(judge, 1, answered=False)
    assert not judge.has_all_answers(1)
    assert judge.judge_frame(1, 0.3).reason == "unanswered"
    add_frame(judge, 2)
    assert judge.has_all_answers(2)
    assert judge.judge_frame(2, 0.3).reason is None


def test_an_answer_beside_counts_until_it_is_too_old(judge):
    reasons = []
    for number in range(1, 5):
        add_frame(judge, number)
        reasons.append(judge.judge_frame(number, 0.3).reason)
    assert reasons == [None, None, "stale", "stale"]
    judge.add_answer("beside", 3, FACE)
    add_frame(judge, 5)
    assert judge.judge_frame(5, 0.3).reason is None


@pytest.mark.parametrize("beginning", ["cut", "source"])
def test_answers_from_before_a_discontinuity_do_not_count_after_it(judge, beginning):
    add_frame(judge, 1, beginning)
    verdict = judge.judge_frame(1, 0.3)
    assert verdict == (beginning, ())
    judge.add_answer("beside", 0, FACE)
    add_frame(judge, 2)
    assert judge.judge_frame(2, 0.3).reason == beginning
    judge.add_answer("beside", 1, FACE)
    add_frame(judge, 3)
    verdict = judge.judge_frame(3, 0.3)
    assert verdict.reason is None
    assert len(verdict.faces) == 1


def test_answers_for_a_new_scene_wait_for_its_first_frame(judge):
    add_frame(judge, 1)
    add_frame(judge, 2, "cut")
    judge.add_answer("beside", 2, FACE)
    assert judge.judge_frame(1, 0.3).reason is None
    verdict = judge.judge_frame(2, 0.3)
    assert verdict.reason is None
    assert [face.box for face in verdict.faces] == [FACE[0].box]


def test_a_lost_detector_covers_until_its_next_answer(judge):
    judge.mark_failed("beside")
    add_frame(judge, 1)
    assert judge.judge_frame(1, 0.3).reason == "lost"
    judge.add_answer("beside", 1, FACE)
    add_frame(judge, 2)
    assert judge.judge_frame(2, 0.3).reason is None


def test_waiting_for_a_lost_detector_is_pointless(judge):
    judge.mark_failed("each")
    add_frame(judge, 1, answered=False)
    assert judge.has_all_answers(1)
    assert judge.judge_frame(1, 0.3).reason == "lost"


def test_memory_does_not_grow_with_the_run():
    judge = Judge({"each": True, "beside": False}, JudgingSettings(), FollowingSettings())
    for number in range(3000):
        add_frame(judge, number)
        judge.add_answer("beside", number, FACE)
        judge.judge_frame(number, 0.3)
    assert len(judge._frames) <= 512
    assert sum(map(len, judge._answers.values())) <= 2
