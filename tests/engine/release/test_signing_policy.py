"""Nothing is signed below the policy without a confirmation and a reason, and both stay visible."""

import msgspec
import pytest

from engine import access, audit, release
from engine.access.run_context import RunContext
from engine.approval.next_step import find_next_step
from engine.approval.reviewer_actions import ReviewerActions
from engine.errors import SignOffError
from engine.record import read_record, sha256_hex
from engine.release import SignRequest
from engine.review.amendments import Accept
from engine.review.queue import build_review_queue
from engine.storage.data_folder import CERTIFICATE_PAGE_NAME
from tests.engine.release import signable_runs
from tests.people_makers import PASSWORD, person

UNSEEN = "0 of 8 frames viewed (policy: at least 25 %)"


def sign(data, account, meaning, **wish):
    """Sign by a direct call, with nothing confirmed unless `wish` says so."""
    run, session = signable_runs.the_run(data), signable_runs.session(data, account)
    return release.sign(data, run.id, session, access.Password(PASSWORD, account), SignRequest(meaning, **wish))[0]


def look(data, account, *ranges):
    """Log that a person viewed frames, as the canvas does."""
    run = signable_runs.the_run(data)
    context = RunContext(data, run, person(data, account))
    actions = ReviewerActions(context, sha256_hex(run.folder.record.read_bytes()))
    actions.record_viewed(8, ranges)
    return actions


@pytest.mark.parametrize(
    "wish", [{}, {"reason": "a test"}, {"below_policy": True}, {"below_policy": True, "reason": " "}]
)
def test_a_review_that_nobody_looked_at_is_not_signed_silently(ready, wish):
    with pytest.raises(SignOffError, match="Less was checked than the policy asks for") as refused:
        sign(ready, "rita", "reviewed", **wish)
    assert UNSEEN in str(refused.value)
    assert not list(signable_runs.the_run(ready).folder.signatures.glob("*"))
    assert UNSEEN in list(audit.read_entries(ready.audit, kinds=["refusal"]))[-1].reason


@pytest.mark.slow
def test_reason_and_figures_stay_in_statement_log_list_and_certificate(ready):
    reviewed = sign(ready, "rita", "reviewed", below_policy=True, reason="a test clip")
    assert (reviewed.below_policy, reviewed.figures.viewed, reviewed.reason) == ((UNSEEN,), 0, "a test clip")
    assert f"[below policy: {UNSEEN}]" in reviewed.format_line()
    assert list(audit.read_entries(ready.audit, kinds=["review"]))[-1].details["below_policy"] == UNSEEN
    with pytest.raises(SignOffError, match="0 of 8 frames viewed by the approver"):
        sign(ready, "anna", "approved", reason="as agreed")
    sign(ready, "anna", "approved", below_policy=True, reason="nobody is in it")
    exceptions = find_next_step(signable_runs.the_run(ready), "two").exceptions
    assert [(one.name, one.reason) for one in exceptions] == [("Rita", "a test clip"), ("Anna", "nobody is in it")]
    signable_runs.published(ready)
    page = (signable_runs.the_run(ready).folder.releases / "01" / CERTIFICATE_PAGE_NAME).read_text()
    assert f"Below the policy of the organisation: {UNSEEN}" in page
    assert "Reason: a test clip" in page and "Reason: nobody is in it" in page


@pytest.mark.slow
def test_who_looked_signs_without_a_reason(ready):
    run = signable_runs.the_run(ready)
    actions = look(ready, "rita", (0, 8))
    record = read_record(run.folder.record)
    for item in build_review_queue(record):
        actions.amend(record, Accept(item.key))
    reviewed = sign(ready, "rita", "reviewed")
    assert (reviewed.below_policy, reviewed.figures.viewed, reviewed.figures.viewed_by_signer) == ((), 8, 8)
    with pytest.raises(SignOffError, match="0 of 8 frames viewed by the approver"):
        sign(ready, "anna", "approved")
    look(ready, "anna", (3, 4))
    assert sign(ready, "anna", "approved").below_policy == ()
    assert find_next_step(run, "two").exceptions == ()


def test_an_administrator_sets_the_thresholds(ready):
    policy = access.read_policy(ready)
    lax = msgspec.structs.replace(policy, min_items_percent=0, min_frames_percent=0)
    access.set_policy(ready, person(ready, "ada"), lax)
    assert sign(ready, "rita", "reviewed").below_policy == ()


@pytest.mark.slow
def test_an_exception_ends_with_the_amendments_that_it_is_about(ready):
    sign(ready, "rita", "reviewed", below_policy=True, reason="a test clip")
    signable_runs.amend(ready)
    look(ready, "rita", (0, 8))
    run = signable_runs.the_run(ready)
    lax = msgspec.structs.replace(access.read_policy(ready), min_items_percent=0)
    access.set_policy(ready, person(ready, "ada"), lax)
    assert sign(ready, "rita", "reviewed").below_policy == ()
    assert find_next_step(run, "two").exceptions == ()
