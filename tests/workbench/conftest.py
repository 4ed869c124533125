"""Fixtures of the workbench's tests: models, data folders, a server and browsers."""

import pytest

from engine.detectors import weights
from engine.storage.files import find_data_folder
from tests.browser import chromium, launch_browser, make_data_folder, page, running_workbench

__all__ = ["chromium", "launch_browser", "page"]


@pytest.fixture(scope="session")
def models():
    """The folder of the pinned models."""
    folder = find_data_folder().models
    weights.fetch_model_files(folder)
    return folder


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
