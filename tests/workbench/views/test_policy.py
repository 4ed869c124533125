"""The page Policy: the same rules as `veil users policy`, for administrators."""

import pytest
from streamlit.testing.v1 import AppTest

from engine import access, audit
from engine.storage.data_folder import DataFolder
from tests.repository import ROOT


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(tmp_path))
    return DataFolder(tmp_path)


def shown():
    app = AppTest.from_file(ROOT / "workbench" / "navigation.py", default_timeout=60).run()
    return app.switch_page("../pages/policy.py").run()


@pytest.mark.slow
def test_the_rules_are_changed_and_logged(data):
    app = shown()
    assert app.number_input(key="policy-min_frames_percent").value == 25
    app.number_input(key="policy-min_frames_percent").set_value(60)
    app.radio(key="policy-persons").set_value("three")
    app.checkbox(key="policy-sample").check()
    app.multiselect(key="policy-roles").set_value(["approver"])
    app.button(key="FormSubmitter:policy-Save the policy").click().run()
    assert not app.exception
    assert "The policy is saved" in app.success[0].value
    policy = access.read_policy(data)
    assert (policy.min_frames_percent, policy.persons, policy.random_sample) == (60, "three", True)
    assert policy.second_factor_roles == ("approver",)
    (entry,) = audit.read_entries(data.audit, kinds=["settings"])
    assert entry.details["frames_percent"] == 60


@pytest.mark.slow
def test_nothing_changed_is_not_logged(data):
    app = shown()
    app.button(key="FormSubmitter:policy-Save the policy").click().run()
    assert "Nothing was changed." in [one.value for one in app.info]
    assert not list(audit.read_entries(data.audit, kinds=["settings"]))
