"""A release that a server starts works in a process of its own: what goes there and comes back is what it was."""

from typing import get_type_hints

import pytest

from engine import access
from engine.errors import SignOffError
from engine.isolation.messages import decode_value, encode_value
from engine.release import SeriesRequest, SignRequest, release, release_series
from tests.crashing_reader import guard_this_process
from tests.engine.release import signable_runs
from tests.people_makers import PASSWORD

pytestmark = pytest.mark.slow


def test_a_release_comes_back_as_it_was_made(approved):
    made = signable_runs.published(approved), signable_runs.session(approved, "anna")
    assert decode_value(encode_value(made), get_type_hints(release)["return"]) == made


def test_a_refusal_comes_back_from_the_other_process(ready, monkeypatch):
    guard_this_process(monkeypatch)
    run, session = signable_runs.the_run(ready), signable_runs.session(ready, "anna")
    credential = access.Password(PASSWORD, "anna")
    with pytest.raises(SignOffError, match="has not been approved"):
        release(ready, run.id, session, credential, SignRequest("released"))
    with pytest.raises(SignOffError, match=r"Nothing was released\."):
        release_series(ready, SeriesRequest((run.id,)), session, credential)
    assert not list(run.folder.releases.glob("[0-9]*"))
