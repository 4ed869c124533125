"""Several runs are signed and released with one confirmation, each as if it were alone."""

import pytest

from engine import access, release, runs
from engine.errors import AccessError, SignOffError
from engine.release import SignRequest
from engine.release.release import ReleaseHooks
from tests import clips
from tests.engine.release import signable_runs
from tests.people_makers import PASSWORD

pytestmark = pytest.mark.slow

NO_CHECKS = ReleaseHooks(release_checks=())


@pytest.fixture
def two(ready):
    """Two runs that are ready to be signed."""
    source = clips.video(ready.library / "other.mp4", size=(128, 96), frames=6)
    signable_runs.run_of(ready, "otto", source, lambda _: [signable_runs.FACE])
    return ready


def ids(data):
    return [run.id for run in runs.read_register(data).runs]


def sign_all(data, account, meaning, **wish):
    wish = {"below_policy": True, "reason": "a test"} | wish
    requests = [(run_id, SignRequest(meaning, **wish)) for run_id in ids(data)]
    session = signable_runs.session(data, account)
    return release.sign_several(data, requests, session, access.Password(PASSWORD, account))[0]


def test_several_runs_are_reviewed_approved_and_released_with_one_password_each_time(two):
    sign_all(two, "rita", "reviewed")
    statements = sign_all(two, "anna", "approved")
    assert [one.run for one in statements] == ids(two)
    ended = {}
    release.release_several(
        two, ids(two), signable_runs.session(two, "anna"), access.Password(PASSWORD, "anna"), ended.__setitem__,
        hooks=NO_CHECKS,
    )  # fmt: skip
    assert {run_id: one.number for run_id, one in ended.items()} == dict.fromkeys(ids(two), 1)
    assert release.check_audit_log(two).passed


def test_nothing_is_signed_if_one_run_is_refused_or_the_password_is_wrong(two):
    first, second = ids(two)
    with pytest.raises(SignOffError, match=r"was not signed as reviewed|has to be reviewed|Nothing was signed"):
        sign_all(two, "anna", "approved")
    with pytest.raises(SignOffError, match="Less was checked"):
        sign_all(two, "rita", "reviewed", below_policy=False)
    requests = [(run_id, SignRequest("reviewed", below_policy=True, reason="x")) for run_id in (first, second)]
    with pytest.raises(AccessError):
        release.sign_several(two, requests, signable_runs.session(two, "rita"), access.Password("wrong one", "rita"))
    for run_id in (first, second):
        assert not release.open_snapshot(two, run_id).sign_off.list_statement_statuses()


def test_a_release_that_is_stopped_does_not_stop_the_others(two):
    sign_all(two, "rita", "reviewed")
    sign_all(two, "anna", "approved")
    first, second = ids(two)

    def stop_first(candidate):
        if candidate.context.run.id == first:
            raise SignOffError("a face shows")

    ended = {}
    release.release_several(
        two, [first, second], signable_runs.session(two, "anna"), access.Password(PASSWORD, "anna"),
        ended.__setitem__, hooks=ReleaseHooks(release_checks=(stop_first,)),
    )  # fmt: skip
    assert str(ended[first]) == "a face shows"
    assert ended[second].number == 1


def test_runs_are_chosen_once_and_what_is_not_approved_is_not_released(two):
    with pytest.raises(SignOffError, match="each once"):
        release.sign_several(two, [], signable_runs.session(two, "rita"), None)
    with pytest.raises(SignOffError, match="Nothing was released"):
        release.release_several(
            two, ids(two), signable_runs.session(two, "anna"), access.Password(PASSWORD, "anna"), print
        )
