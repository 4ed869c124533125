"""The order of steps, without any file; the attacks on it are in tests/engine/release."""

import pytest

from engine.approval.workflow import Clearance, LoggedFacts, SignOff
from engine.errors import SignOffError
from engine.record import encode_document, sha256_hex
from tests.record_makers import make_record

SOURCE = "ab" * 32
RECORD_BYTES = encode_document(make_record([[]], sha256=SOURCE))
KNOWN = LoggedFacts(record=sha256_hex(RECORD_BYTES))
CALLS = [
    ("feed_statements", {}),
    ("feed_source", SOURCE),
    ("feed_record", RECORD_BYTES),
    ("feed_review", b""),
    ("feed_terms", {"style": {"scale": 1.5}}),
]
"""The calls that feed a sign-off, in order."""


def feed(sign_off, stop=None):
    """Make the calls in order, up to `stop`."""
    for name, value in CALLS[:stop]:
        getattr(sign_off, name)(value)


@pytest.mark.parametrize("place", range(1, len(CALLS)))
def test_a_call_out_of_order_is_refused(place):
    for done in range(place):
        sign_off = SignOff("a-run", "two", KNOWN)
        feed(sign_off, done)
        name, value = CALLS[place]
        with pytest.raises(ValueError, match="must be called before"):
            getattr(sign_off, name)(value)


@pytest.mark.parametrize("done", range(len(CALLS)))
def test_nothing_can_be_signed_before_everything_was_fed(done):
    sign_off = SignOff("a-run", "two", KNOWN)
    feed(sign_off, done)
    with pytest.raises(ValueError, match="feed_terms must be called first"):
        _ = sign_off.hashes


def test_a_statement_is_bound_to_the_stored_bytes():
    sign_off = SignOff("a-run", "two", KNOWN)
    feed(sign_off)
    hashes = sign_off.hashes
    assert (hashes.source, hashes.record, hashes.review) == (SOURCE, sha256_hex(RECORD_BYTES), sha256_hex(b""))
    assert hashes.terms == sha256_hex(b'{"style":{"scale":1.5}}\n')
    assert sign_off.next_step == "review"
    assert sign_off.find_refusal("approved", "anna") == "The run has not been signed as reviewed; that comes first."
    with pytest.raises(SignOffError, match="The run has not been approved; that comes first"):
        sign_off.clear()


@pytest.mark.parametrize(
    ("logged", "sentence"),
    [
        (LoggedFacts(source="cd" * 32), "The source was changed"),
        (LoggedFacts(record="cd" * 32), "The detection record was changed"),
        (LoggedFacts(), "The audit log has no detection that wrote this record"),
        (LoggedFacts(record=KNOWN.record, review="cd" * 32), "The amendments were changed"),
        (LoggedFacts(statements={1: "cd" * 32}), "The signature 0001 is missing"),
    ],
)
def test_a_difference_from_the_audit_log_is_named(logged, sentence):
    with pytest.raises(SignOffError, match=sentence):
        feed(SignOff("a-run", "two", logged))


def test_the_record_of_another_video_is_named():
    sign_off = SignOff("a-run", "two", KNOWN)
    sign_off.feed_statements({})
    sign_off.feed_source("cd" * 32)
    with pytest.raises(SignOffError, match="not the video that the detection record is of"):
        sign_off.feed_record(RECORD_BYTES)


def test_a_clearance_cannot_be_built_by_hand():
    sign_off = SignOff("a-run", "two", KNOWN)
    feed(sign_off)
    with pytest.raises(SignOffError, match="needs a clearance"):
        Clearance("a-run", sign_off.hashes, {}, (), "two", object())
