"""Whose turn it is."""

from datetime import UTC, datetime

import msgspec
import pytest

from engine.access import Person
from engine.approval.next_step import find_next_step
from engine.approval.statements import SignedHashes, Statement, hash_terms
from engine.audit import Anchor
from engine.record import encode_document, sha256_hex
from engine.runs import RunRequest, RunState, create_run, format_utc_now, load_run
from engine.storage.data_folder import DataFolder

WORDS = {"otto": "operator", "rita": "reviewer", "anna": "approver", "lyn": "analyst"}


@pytest.fixture
def run(tmp_path):
    """A run that is done, which Otto asked for."""
    return run_of(tmp_path, "/clip.mp4")


def run_of(tmp_path, source):
    request = RunRequest(source=source, account="otto", name="Otto", at=format_utc_now())
    folder = create_run(DataFolder(tmp_path), request, RunState(stage="done", updated=format_utc_now()))
    return load_run(DataFolder(tmp_path), folder.id)


def person(account, *roles):
    return Person(account, account.title(), roles or (WORDS[account],), "account")


def statement(run, number, meaning, by, reason):
    return Statement(
        run=run.id,
        number=number,
        meaning=meaning,
        subject=SignedHashes(sha256_hex(b"source"), sha256_hex(b"record"), sha256_hex(b""), hash_terms({})),
        terms={},
        account=by,
        name=by.title(),
        how="account",
        asked="password",
        persons="one",
        at=datetime.now(UTC),
        reason=reason,
        head=Anchor(0, "0" * 64),
    )


def sign(run, meaning, by="rita", reason=None):
    """Add a signature."""
    run.folder.signatures.mkdir(exist_ok=True)
    number = 1 + len(list(run.folder.signatures.iterdir()))
    (run.folder.signatures / f"{number:04}.json").write_bytes(
        encode_document(statement(run, number, meaning, by, reason))
    )


def whose(run, persons="one"):
    """The step, and whose turn it is of four people."""
    found = find_next_step(run, persons)
    return found.step, [account for account in WORDS if found.is_open_to(person(account))]


def test_each_step_is_somebodys(run):
    assert whose(run) == ("review", ["rita"])
    sign(run, "reviewed")
    assert whose(run) == ("approval", ["anna"])
    sign(run, "approved", by="anna")
    assert whose(run) == ("release", ["anna"])
    sign(run, "released", by="anna")
    assert whose(run) == (None, [])


def test_what_was_sent_back_is_reviewed_again_and_says_why(run):
    sign(run, "reviewed")
    sign(run, "rejected", by="anna", reason="the mirror in frame 12")
    assert whose(run) == ("review", ["rita"])
    assert find_next_step(run, "one").why == "Anna sent it back: the mirror in frame 12"


@pytest.mark.parametrize("meaning", ["reviewed", "approved"])
def test_what_was_amended_since_is_reviewed_again(run, meaning):
    sign(run, meaning)
    run.folder.review.write_bytes(b"an amendment\n")
    assert whose(run)[0] == "review"
    assert "amended after Rita" in find_next_step(run, "one").why


def test_the_rule_of_four_eyes_keeps_people_from_their_own_work(run):
    everything = ("operator", "reviewer", "approver")
    assert find_next_step(run, "two").is_open_to(person("otto", *everything))
    assert not find_next_step(run, "three").is_open_to(person("otto", *everything))
    sign(run, "reviewed")
    assert [find_next_step(run, "two").is_open_to(person(one, *everything)) for one in ("otto", "rita", "anna")] == [
        False,
        False,
        True,
    ]
    assert find_next_step(run, "one").is_open_to(person("rita", *everything))


def test_a_signature_that_is_none_is_said(run):
    sign(run, "reviewed")
    path = run.folder.signatures / "0001.json"
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | {"run": 1}))
    assert "cannot be read" in find_next_step(run, "two").why


def test_what_was_masked_live_from_a_camera_is_nobodys_turn(tmp_path):
    assert whose(run_of(tmp_path, "camera of a browser")) == (None, [])
