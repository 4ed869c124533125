"""Fixtures of the workbench's tests: data folders, a server and browsers."""

import pytest

from tests.browser import make_data_folder, running_workbench
from tests.workbench.accounts import add_accounts


@pytest.fixture
def data_folder(models, tmp_path):
    """A data folder of one test."""
    (tmp_path / "data").mkdir()
    return make_data_folder(tmp_path / "data", models)


@pytest.fixture(scope="session")
def workbench(models, tmp_path_factory):
    """A server with a single user."""
    with running_workbench(make_data_folder(tmp_path_factory.mktemp("workbench"), models)) as server:
        yield server


@pytest.fixture(scope="session")
def workbench_with_accounts(models, tmp_path_factory):
    """A server with the accounts of `tests.workbench.accounts`; no test changes these or the policy."""
    with running_workbench(add_accounts(make_data_folder(tmp_path_factory.mktemp("accounts"), models))) as server:
        yield server
