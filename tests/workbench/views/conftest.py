"""The data folder that the pages of review and sign-off are tested with."""

import pytest

from engine.storage.data_folder import DataFolder
from tests.people_makers import ask_for_no_checks


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder whose policy asks for no checks before a signature."""
    monkeypatch.setenv("VEIL_DATA", str(tmp_path / "data"))
    data = DataFolder(tmp_path / "data")
    ask_for_no_checks(data)
    return data
