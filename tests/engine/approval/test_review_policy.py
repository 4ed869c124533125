"""The thresholds of the policy, without any file."""

import msgspec
import pytest

from engine.access import Policy
from engine.approval.review_policy import ReviewFigures, find_shortfalls

CHECKED = ReviewFigures(
    items=4, decided=4, frames=200, viewed=50, risk_viewed_percent=60, sample_checked=False, viewed_by_signer=10
)
DEFAULT = Policy(persons="two")


def lacking(meaning="reviewed", policy=DEFAULT, **figures):
    return find_shortfalls(policy, meaning, msgspec.structs.replace(CHECKED, **figures))


@pytest.mark.parametrize("meaning", ["reviewed", "approved", "rejected", "released"])
def test_a_review_that_reaches_every_threshold_lacks_nothing(meaning):
    assert lacking(meaning) == ()


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"decided": 1}, "3 of 4 items to check still open (policy: all decided)"),
        ({"viewed": 49}, "49 of 200 frames viewed (policy: at least 25 %)"),
    ],
)
def test_one_below_a_threshold_is_named_to_reviewer_and_approver(figures, words):
    assert lacking(**figures) == lacking("approved", **figures) == (words,)
    assert lacking("rejected", **figures) == lacking("released", **figures) == ()


def test_the_approver_has_to_look_as_well():
    assert lacking(viewed_by_signer=0) == ()
    assert lacking("approved", viewed_by_signer=9) == ("9 of 200 frames viewed by the approver (policy: at least 5 %)",)


def test_risk_and_sample_count_where_the_policy_asks_for_them():
    strict = msgspec.structs.replace(DEFAULT, min_risk_percent=61, random_sample=True)
    assert [clause.partition(" (")[0] for clause in lacking(policy=strict)] == [
        "60 % of the risk viewed", "no random sample check without a visible face since the last amendment",
    ]  # fmt: skip
    assert lacking(policy=strict, risk_viewed_percent=61, sample_checked=True) == ()


def test_without_items_there_is_no_risk_to_view():
    strict = msgspec.structs.replace(DEFAULT, min_risk_percent=100)
    assert lacking(policy=strict, items=0, decided=0, risk_viewed_percent=0) == ()


def test_a_policy_of_an_earlier_version_gets_the_thresholds():
    stored = b'{"schema":"veil/policy/1","persons":"three"}'
    assert msgspec.json.decode(stored, type=Policy) == Policy(persons="three")
