"""The state machine of the sign-off."""

from datetime import UTC, datetime

import pytest

from engine.approval.statements import SignedHashes, Statement, hash_terms
from engine.approval.steps import StatementStatus, derive_next_step, find_rejection, list_steps
from engine.audit import Anchor
from engine.record import sha256_hex

CHANGED = ("the amendments changed",)
REVIEWED, APPROVED, REJECTED, RELEASED = "reviewed", "approved", "rejected", "released"


def make_status(number, meaning, void_reasons=()):
    statement = Statement(
        run="a-run",
        number=number,
        meaning=meaning,
        subject=SignedHashes(sha256_hex(b"source"), sha256_hex(b"record"), sha256_hex(b""), hash_terms({})),
        terms={},
        account="anna",
        name="Anna",
        how="account",
        asked="password",
        persons="one",
        at=datetime.now(UTC),
        head=Anchor(0, "0" * 64),
    )
    return StatementStatus(statement, void_reasons)


def make_statuses(*signed):
    """Statuses of statements in order: a meaning, or a meaning and void reasons."""
    pairs = ((one, ()) if isinstance(one, str) else one for one in signed)
    return [make_status(number, *pair) for number, pair in enumerate(pairs, start=1)]


@pytest.mark.parametrize(
    ("signed", "step"),
    [
        ((), "review"),
        ((REVIEWED,), "approval"),
        ((REVIEWED, APPROVED), "release"),
        ((REVIEWED, APPROVED, RELEASED), None),
        (((REVIEWED, CHANGED),), "review"),
        (((REVIEWED, CHANGED), (APPROVED, CHANGED)), "review"),
        ((REVIEWED, (APPROVED, ("style.scale is 2, it was 1.5",))), "approval"),
        (((REVIEWED, CHANGED), (APPROVED, CHANGED), (RELEASED, CHANGED), REVIEWED), "approval"),
        (((REVIEWED, ("Anna rejected the run",)), REJECTED), "review"),
        (((REVIEWED, ("Anna rejected the run",)), REJECTED, REVIEWED), "approval"),
    ],
)
def test_the_next_step_follows_from_the_statements_that_count(signed, step):
    assert derive_next_step(make_statuses(*signed)) == step


def test_a_rejection_stands_until_the_next_statement():
    assert find_rejection(make_statuses(REVIEWED, REJECTED)).number == 2
    assert find_rejection(make_statuses(REVIEWED, REJECTED, REVIEWED)) is None
    assert find_rejection([]) is None


def test_each_step_names_the_newest_statement_or_why_it_is_void():
    reviewed, approved, released = list_steps(make_statuses(REVIEWED, REVIEWED, (APPROVED, CHANGED)))
    assert (reviewed.statement.number, reviewed.void_reasons) == (2, ())
    assert (approved.statement, approved.void_reasons) == (None, CHANGED)
    assert (released.meaning, released.statement, released.void_reasons) == (RELEASED, None, ())
