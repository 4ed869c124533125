"""The niceness of a session, as Linux states it."""

import pytest

from engine.live.detector_thread import read_session_niceness


@pytest.mark.parametrize(
    ("content", "niceness"), [("/autogroup-71 nice 5\n", 5), ("/autogroup-1 nice -3\n", -3), ("", None)]
)
def test_the_niceness_of_a_session_is_read(tmp_path, content, niceness):
    (tmp_path / "autogroup").write_text(content)
    assert read_session_niceness(tmp_path / "autogroup") == niceness


def test_a_kernel_without_autogroups_has_no_session_niceness(tmp_path):
    assert read_session_niceness(tmp_path / "autogroup") is None
