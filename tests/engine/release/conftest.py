import shutil

import pytest

from engine.storage.data_folder import DataFolder
from tests.engine.release import signable_runs


@pytest.fixture(scope="session")
def made(staff, tmp_path_factory):
    """By name, data folders whose run is ready, approved or released; made once, as hashing passwords is slow."""
    folder = tmp_path_factory.mktemp("cases")
    ready = DataFolder(shutil.copytree(staff.root, folder / "ready"))
    signable_runs.run_by(ready, "otto")
    approved = signable_runs.copied(ready, folder / "approved")
    signable_runs.signed(approved, "rita", "reviewed")
    signable_runs.signed(approved, "anna", "approved", reason="as agreed")
    released = signable_runs.copied(approved, folder / "released")
    signable_runs.published(released)
    return {"ready": ready, "approved": approved, "released": released}


@pytest.fixture
def ready(made, tmp_path):
    return signable_runs.copied(made["ready"], tmp_path / "data")


@pytest.fixture
def approved(made, tmp_path):
    return signable_runs.copied(made["approved"], tmp_path / "data")


@pytest.fixture
def released(made, tmp_path):
    return signable_runs.copied(made["released"], tmp_path / "data")
