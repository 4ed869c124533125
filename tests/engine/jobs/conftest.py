import pytest

from engine import runs
from engine.runs import Asked, RunRequest
from engine.store import Data

YOLO = Asked(detectors=("yolov8-face",), workers=1)


@pytest.fixture
def place(own_data, tmp_path):
    """A data folder of one test."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(own_data / "models")
    return Data(tmp_path / "data")


@pytest.fixture
def wanted(talk):
    """Makes requests for runs."""

    def make(source=talk, detection=YOLO):
        return RunRequest(source=str(source), detection=detection, account="ana", name="Ana Bell", at=runs.now())

    return make
