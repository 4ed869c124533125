"""A run takes in as many frames as it can finish in time."""

import pytest

from engine.live.frame_admission import FrameAdmission


def admitted(durations, limit=8):
    admission = FrameAdmission(0.1, limit)
    for step, seconds in durations:
        for _ in range(20):
            admission.add_duration(step, seconds)
    return next(waiting for waiting in range(100) if not admission.admits(waiting))


@pytest.mark.parametrize(
    ("durations", "waiting"),
    [
        ([], 8),
        ([("looking", 0.01), ("sending", 0.012)], 8),
        ([("looking", 0.04), ("sending", 0.01)], 3),
        ([("looking", 0.01), ("sending", 0.04)], 3),
        ([("looking", 2.0)], 1),
    ],
)
def test_the_slowest_step_says_how_many_frames_may_wait(durations, waiting):
    assert admitted(durations) == waiting


def test_a_machine_that_gets_faster_takes_in_more():
    assert admitted([("sending", 0.07), ("sending", 0.01)]) == 8


def run_pipeline(frame_s, look_s, seconds=20.0):
    """One detector and a running source: return shown frames a second, and the longest wait for an answer."""
    admission, admitted_at, free_at, longest = FrameAdmission(0.1, 8), [], 0.0, 0.0
    for number in range(round(seconds / frame_s)):
        now = number * frame_s
        waiting = sum(answer > now for _, answer in admitted_at)
        if admission.admits(waiting):
            free_at = max(now, free_at) + look_s
            admitted_at.append((now, free_at))
            admission.add_duration("looking", look_s)
            longest = max(longest, free_at - now)
    return len(admitted_at) / seconds, longest


@pytest.mark.parametrize("look_s", [0.02, 0.05, 0.08, 0.12])
def test_an_overloaded_detector_answers_every_frame_it_gets_in_time(look_s):
    """Without a limit, each frame would wait longer than the one before, and none would be judged."""
    rate, longest = run_pipeline(0.02, look_s)
    assert longest <= 0.25
    assert rate >= 0.9 / look_s * 0.95 or rate >= 49
