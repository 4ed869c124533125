import pytest

from engine.detectors import table
from tests import clips
from tests.engine.cluster import sleeping_detector


@pytest.fixture
def sleeping(monkeypatch):
    """Let this process know the sleeping detector."""
    monkeypatch.setitem(table.DETECTORS, sleeping_detector.NAME, sleeping_detector.ROW)


@pytest.fixture(scope="session")
def moving_clip(tmp_path_factory):
    """A clip of 320 frames with a keyframe in every 20, in which bright places move."""
    path = tmp_path_factory.mktemp("moving") / "moving.mp4"
    return clips.video(path, size=(96, 64), frames=320, options=["-g", "20", "-bf", "2", "-sc_threshold", "0"])
