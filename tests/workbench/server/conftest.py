"""The data folder that the routes are tested with."""

import pytest

from engine.storage.data_folder import DataFolder


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder that the workbench takes for its own."""
    monkeypatch.setenv("VEIL_DATA", str(tmp_path / "data"))
    return DataFolder(tmp_path / "data")
