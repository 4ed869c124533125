import json
import shutil
import threading

import pytest

from engine.cli import main
from engine.live.controls import LiveControls
from engine.live.masker import LiveMasker
from engine.storage.data_folder import DataFolder
from tests import assist_makers, clips, people_makers
from tests.engine.live.scripted_camera import PATIENCE_S, PATIENT, Camera, detector_roles, is_judged

TALK_FRAMES = 24
"""Frames of `talk`. Most tests of a detection run a detector on them, some of them several times."""


@pytest.fixture(scope="session")
def data(models):
    """The data folder, with the pinned models in it."""
    return DataFolder(models.parent)


@pytest.fixture(scope="session")
def own_data(data, tmp_path_factory):
    """A data folder of the tests' own that shares the models."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "models").symlink_to(data.models)
    return folder


@pytest.fixture(scope="session")
def talk(carphone, tmp_path_factory):
    """The first frames of carphone at 352x288, with two audio streams."""
    path = tmp_path_factory.mktemp("talk") / "talk.mp4"
    clips.ffmpeg(
        "-i", carphone, "-f", "lavfi", "-i", "sine=frequency=300:sample_rate=44100:duration=0.8",
        "-f", "lavfi", "-i", "sine=frequency=500:sample_rate=48000:duration=0.8",
        "-map", "0:v", "-map", "1:a", "-map", "2:a", "-vf", "scale=352:288:flags=lanczos",
        "-frames:v", str(TALK_FRAMES), "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-c:a", "aac", path,
    )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def staff(tmp_path_factory):
    """A data folder with accounts; made once, as hashing passwords is slow on purpose."""
    return people_makers.staff(tmp_path_factory.mktemp("staff"))


@pytest.fixture
def staffed(staff, tmp_path):
    """A data folder of the test's own with the accounts of `tests.people_makers`."""
    return DataFolder(shutil.copytree(staff.root, tmp_path / "staffed"))


@pytest.fixture
def moods(tmp_path):
    """A folder with the files `swift` and `moody`, which tell scripted detectors how to behave."""
    for name in ("swift", "moody"):
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.fixture
def camera(moods, tmp_path):
    """A camera at a masker that has begun to judge."""
    with LiveMasker(detector_roles(moods), tmp_path, judging=PATIENT, controls=LiveControls()) as masker:
        masker.wait_until_ready(PATIENCE_S)
        camera = Camera(masker)
        camera.send_until(is_judged)
        yield camera


@pytest.fixture
def stop():
    return threading.Event()


@pytest.fixture(scope="session")
def moving(tmp_path_factory):
    """A clip in which a patch with texture moves."""
    return assist_makers.make_moving_clip(tmp_path_factory.mktemp("assist") / "moving.mp4")


@pytest.fixture
def amended(moving):
    """The record of that clip, without a face and with a cut."""
    return assist_makers.amend_moving_clip(moving)


@pytest.fixture
def veil(capsys):
    """Run the command line in this process: exit code, and its JSON output."""

    def run(*arguments):
        code = main([*map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run
