"""Tasks in processes of their own: their answers, their failures, and their end."""

import time

import pytest

from engine.assist.messages import AssistRequest, Failure, Followed, Progress
from engine.assist.task import AssistTask
from engine.record import encode_document
from tests.assist_makers import CUT, place


@pytest.fixture
def request_for(tmp_path, amended, moving):
    record = tmp_path / "record.json"
    record.write_bytes(encode_document(amended.record))

    def make(source=moving):
        return AssistRequest(str(source), str(record), str(tmp_path / "review.jsonl"), 12, place(12))

    return make


def waited(task):
    while not task.ended:
        time.sleep(0.02)
    return task.state


@pytest.mark.slow
def test_a_face_is_followed_in_a_process_of_its_own(request_for):
    task = AssistTask(request_for())
    assert isinstance(task.state, Progress | Followed)
    state = waited(task)
    assert isinstance(state, Followed)
    assert state.face.span == (0, CUT)
    task.end()


def test_a_source_that_is_gone_is_a_sentence(request_for, tmp_path):
    state = waited(AssistTask(request_for(tmp_path / "gone.mp4")))
    assert isinstance(state, Failure)
    assert "gone.mp4" in state.sentence


@pytest.mark.slow
def test_a_task_that_is_ended_leaves_no_process(request_for):
    task = AssistTask(request_for())
    task.end()
    assert waited(task) is not None
