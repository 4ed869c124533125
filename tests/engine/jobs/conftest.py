import pytest

from engine.access import Person, get_single_user
from engine.jobs.requests import build_run_request
from engine.record import DetectOptions
from engine.storage.data_folder import DataFolder

YOLO = DetectOptions(detectors=("yolov8-face",), workers=1)
SLOW = DetectOptions(detectors=("yolov8-face",), parameters={"yolov8-face": {"size": 1280}}, workers=1)
"""For a run that is to be stopped midway."""


@pytest.fixture
def place(own_data, tmp_path):
    """A data folder of one test."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(own_data / "models")
    return DataFolder(tmp_path / "data")


@pytest.fixture
def ana(place):
    """The single user."""
    return get_single_user(place)


@pytest.fixture
def wanted(talk):
    """Makes requests for runs."""

    def make(source=talk, detection=YOLO):
        return build_run_request(Person("ana", "Ana Bell", (), "single-user"), source, detection)

    return make
