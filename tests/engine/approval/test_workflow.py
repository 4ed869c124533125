"""The order of steps, without any file; the attacks on it are in tests/engine/release."""

import pytest

from engine.approval.workflow import LoggedFacts, SignOff
from engine.errors import SignOffError
from engine.record import encode_document, sha256_hex
from tests.record_makers import make_record

SOURCE = "ab" * 32


def test_the_steps_have_an_order():
    steps = SignOff("a-run", "two", LoggedFacts())
    with pytest.raises(ValueError, match="record comes before the review"):
        steps.feed_review(b"")
    with pytest.raises(ValueError, match="come before the terms"):
        steps.feed_terms({})
    with pytest.raises(ValueError, match="terms come before"):
        _ = steps.hashes


def test_the_subject_is_made_of_the_very_bytes():
    steps, stored = SignOff("a-run", "two", LoggedFacts()), encode_document(make_record([[]], sha256=SOURCE))
    steps.feed_source(SOURCE)
    steps.feed_record(stored)
    steps.feed_review(b"")
    subject = steps.feed_terms({"style": {"scale": 1.5}})
    assert (subject.source, subject.record, subject.review) == (SOURCE, sha256_hex(stored), sha256_hex(b""))
    assert subject.terms == sha256_hex(b'{"style":{"scale":1.5}}\n')
    assert steps.find_refusal("approved", "anna") == "Nobody has signed that the run was reviewed; that comes first."
    with pytest.raises(SignOffError, match="Nobody has approved the run; that comes first"):
        steps.clear()


@pytest.mark.parametrize(
    ("logged", "sentence"),
    [
        (LoggedFacts(source="cd" * 32), "The source was changed"),
        (LoggedFacts(record="cd" * 32), "The detection record was changed"),
        (LoggedFacts(review="cd" * 32), "The amendments were changed"),
        (LoggedFacts(statements={1: "cd" * 32}), "The signature 0001 is missing"),
    ],
)
def test_what_the_log_knows_otherwise_is_named(logged, sentence):
    steps = SignOff("a-run", "two", logged)
    with pytest.raises(SignOffError, match=sentence):
        feed(steps)


def feed(steps):
    steps.feed_statements({})
    steps.feed_source(SOURCE)
    steps.feed_record(encode_document(make_record([[]], sha256=SOURCE)))
    steps.feed_review(b"")


def test_the_record_of_another_video_is_named():
    steps = SignOff("a-run", "two", LoggedFacts())
    steps.feed_source("cd" * 32)
    with pytest.raises(SignOffError, match="not the video that the detection record is of"):
        steps.feed_record(encode_document(make_record([[]], sha256=SOURCE)))
