"""The unit tests of the JavaScript, run by Node.js's own test runner."""

import os
import re
import shutil
import subprocess

import pytest

from tests.repository import ROOT


@pytest.mark.slow
def test_the_unit_tests_pass():
    if shutil.which("node") is None:
        assert os.environ.get("CI") != "true", "Node.js must be there in continuous integration"
        pytest.skip("Node.js is not installed; the JavaScript is not tested")
    files = sorted(map(str, (ROOT / "tests" / "javascript").glob("*.test.js")))
    done = subprocess.run(["node", "--test", *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed and int(passed[1]) >= len(files), done.stdout[-4000:]
