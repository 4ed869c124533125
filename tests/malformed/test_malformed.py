"""What once failed, and a few more malformed documents and videos; `python -m tests.malformed.fuzz` tries thousands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_malformed_files_end_in_a_sentence():
    # In a process of its own, which forks one for each part of the cases.
    command = [sys.executable, "-m", "tests.malformed.fuzz", "--documents", "40", "--videos", "37", "--seed", "7"]
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": root}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "40 documents" in done.stdout
    assert "37 videos" in done.stdout
