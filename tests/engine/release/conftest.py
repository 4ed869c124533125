import shutil

import pytest

from engine.store import Data
from tests.engine.release import cases


@pytest.fixture(scope="session")
def made(staff, tmp_path_factory):
    """By name, data folders whose run is ready, approved or released; made once, as hashing passwords is slow."""
    folder = tmp_path_factory.mktemp("cases")
    ready = Data(shutil.copytree(staff.root, folder / "ready"))
    cases.run_by(ready, "otto")
    approved = cases.copied(ready, folder / "approved")
    cases.signed(approved, "rita", "reviewed")
    cases.signed(approved, "anna", "approved", reason="as agreed")
    released = cases.copied(approved, folder / "released")
    cases.published(released)
    return {"ready": ready, "approved": approved, "released": released}


@pytest.fixture
def ready(made, tmp_path):
    return cases.copied(made["ready"], tmp_path / "data")


@pytest.fixture
def approved(made, tmp_path):
    return cases.copied(made["approved"], tmp_path / "data")


@pytest.fixture
def released(made, tmp_path):
    return cases.copied(made["released"], tmp_path / "data")
