"""The weight of a session, as Linux tells it."""

import pytest

from engine.live.detector_thread import read_session_niceness


@pytest.mark.parametrize(
    ("told", "weight"), [("/autogroup-71 nice 5\n", 5), ("/autogroup-1 nice -3\n", -3), ("", None)]
)
def test_what_the_kernel_tells(tmp_path, told, weight):
    (tmp_path / "autogroup").write_text(told)
    assert read_session_niceness(tmp_path / "autogroup") == weight


def test_a_kernel_without_such_groups(tmp_path):
    assert read_session_niceness(tmp_path / "autogroup") is None
