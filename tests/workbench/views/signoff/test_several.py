"""Several runs are approved at once on the page Sign off, except those that have to be looked at alone."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from engine import access, release
from engine.release import SignRequest
from tests import clips
from tests.repository import ROOT
from tests.workbench.run_makers import make_run
from workbench.auth.current_user import require_session
from workbench.core import caches


@pytest.fixture
def reviewed(data):
    """Two runs that are reviewed."""
    data.library.mkdir(parents=True)
    made = [make_run(data, clips.b_frames(data.library / f"{name}.mp4")) for name in ("ward", "hall")]
    for run in made:
        release.sign(data, run.id, require_session(), None, SignRequest("reviewed"))
    return made


def shown():
    app = AppTest.from_file(ROOT / "workbench" / "navigation.py", default_timeout=60).run()
    app.switch_page("../pages/signoff.py")
    return app.run()


def statements(data, run):
    return [one.statement.meaning for one in release.open_snapshot(data, run.id).sign_off.list_statement_statuses()]


@pytest.mark.slow
def test_all_are_chosen_and_approved_with_one_confirmation(data, reviewed):
    app = shown()
    assert app.button(key="FormSubmitter:approve-several-Approve 0 runs").disabled
    app.checkbox(key="approve-all").check().run()
    app.button(key="FormSubmitter:approve-several-Approve 2 runs").click().run()
    assert not app.exception
    assert "Approved: 2 runs." in [one.value for one in app.success]
    assert [statements(data, run) for run in reviewed] == 2 * [["reviewed", "approved"]]
    app.checkbox(key="release-all").check().run()
    assert not app.button(key="FormSubmitter:release-several-Release 2 runs").disabled


def test_outcome_of_a_release_stays_until_it_is_dismissed(data, reviewed):
    tasks = caches.get_background_tasks()
    tasks.start("release several", lambda _listener: None)
    while tasks.is_running("release several"):
        time.sleep(0.01)
    app = shown()
    assert [one.value.splitlines()[0].strip() for one in app.success] == ["Every chosen run is released."]
    app.button(key="dismiss release several").click().run()
    assert not app.success
    assert not app.exception
    assert tasks.find_state("release several") is None


@pytest.mark.slow
def test_what_is_below_the_policy_is_signed_alone(data, reviewed):
    access.set_policy(data, access.get_single_user(data), access.Policy(persons="one"))
    app = shown()
    assert all(app.checkbox(key=f"approve-{run.id}").disabled for run in reviewed)
    assert sum("Sign it alone" in one.value for one in app.markdown) == 2
    assert "approve-all" not in {one.key for one in app.checkbox}
