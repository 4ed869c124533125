"""FFmpeg's command line is ended when it loops, and only then."""

import subprocess
import sys

import pytest

from engine.media.ffmpeg import kill_if_stuck, run_ffmpeg

pytestmark = pytest.mark.slow

_LOOPS = "while True: pass"
_WORKS = "import os, time\nwhile True: os.write(1, b'x'); sum(range(100_000))"
_WAITS = "import time; time.sleep(3)"


@pytest.mark.parametrize(("program", "is_killed"), [(_LOOPS, True), (_WORKS, False), (_WAITS, False)])
def test_a_process_that_computes_without_a_result_is_killed(program, is_killed):
    with (
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL) as process,
        kill_if_stuck(process, limit_s=0.5) as was_stuck,
    ):
        try:
            process.wait(60 if is_killed else 2.5)
        except subprocess.TimeoutExpired:
            process.kill()
    assert was_stuck.is_set() == is_killed


def test_ffmpeg_says_what_is_wrong(tmp_path):
    done = run_ffmpeg(["-i", tmp_path / "none.mp4"])
    assert done.returncode
    assert "No such file" in done.stderr
