import os
import pty
import re
import subprocess
import sys

import pytest

from tests import clips
from tests.record_makers import record_of, written


def run_on_a_terminal(*arguments):
    """Run a verb on a terminal; return what the terminal shows, without control sequences, and standard output."""
    terminal, inner = pty.openpty()
    command = [sys.executable, "-m", "engine.cli", *map(str, arguments)]
    environment = os.environ | {"COLUMNS": "100", "TERM": "xterm"}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=inner, env=environment)
    os.close(inner)
    shown = b""
    while True:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # the other end of a terminal is closed
            break
    os.close(terminal)
    result, _ = running.communicate()
    assert running.returncode == 0
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()), result.decode()


@pytest.mark.slow
def test_a_terminal_shows_a_bar_that_goes_away(tmp_path):
    source = clips.video(tmp_path / "clip.mp4", size=(640, 480), frames=60)
    record = written(record_of(source, lambda _: [(30, 20, 300, 280)]), tmp_path / "clip.json")
    shown, result = run_on_a_terminal("render", source, record, "-o", tmp_path / "out.mp4")
    assert re.search(r"Rendering +\S+ +100%", shown)
    assert re.search(r"Reading", shown)
    assert "Rendering" not in result
    assert "60 frames rendered" in result
