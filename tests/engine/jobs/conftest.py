import pytest

from engine.access import Person, single_user
from engine.jobs.requests import requested
from engine.runs import Asked
from engine.storage.files import Data

YOLO = Asked(detectors=("yolov8-face",), workers=1)


@pytest.fixture
def place(own_data, tmp_path):
    """A data folder of one test."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(own_data / "models")
    return Data(tmp_path / "data")


@pytest.fixture
def ana(place):
    """The single user."""
    return single_user(place)


@pytest.fixture
def wanted(talk):
    """Makes requests for runs."""

    def make(source=talk, detection=YOLO):
        return requested(Person("ana", "Ana Bell", (), "single-user"), source, detection)

    return make
