"""The priority of a live run, where the system allows it, and the niceness of a session, as Linux states it."""

import os
import subprocess
import sys
import threading

import pytest

from engine.live.priority import lower_priority, raised_priority, read_session_niceness

_WITHOUT_THE_RIGHT = """
import os
from engine.live.priority import raised_priority
os.setuid(65534)
with raised_priority():
    print(os.getpriority(os.PRIO_PROCESS, 0))
"""


def niceness():
    return os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.parametrize(
    ("content", "steps"), [("/autogroup-71 nice 5\n", 5), ("/autogroup-1 nice -3\n", -3), ("", None)]
)
def test_the_niceness_of_a_session_is_read(tmp_path, content, steps):
    (tmp_path / "autogroup").write_text(content)
    assert read_session_niceness(tmp_path / "autogroup") == steps


def test_a_kernel_without_autogroups_has_no_session_niceness(tmp_path):
    assert read_session_niceness(tmp_path / "autogroup") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_run_and_what_it_starts_take_precedence_and_other_threads_do_not():
    before, inside = niceness(), []

    def note_thread():
        inside.append(niceness())

    with raised_priority():
        thread = threading.Thread(target=note_thread)
        thread.start()
        thread.join()
        assert niceness() < before
        assert inside == [niceness()]
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == niceness()
        lower_priority([child.pid], 5)
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == niceness() + 5
        child.communicate(b"\n")
    assert niceness() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.slow
def test_without_the_right_to_it_nothing_changes():
    done = subprocess.run([sys.executable, "-c", _WITHOUT_THE_RIGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == niceness()
