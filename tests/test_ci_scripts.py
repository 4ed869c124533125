"""The scripts of continuous integration say with their exit code what came of them."""

import re
import subprocess

import pytest

from tests.repository import ROOT

RUN = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize("jobs", ["", "sleep 60 &"])
def test_ending_what_is_left_does_not_change_the_exit_code(code, jobs):
    [trap] = re.findall(r"^trap .*$", RUN, re.MULTILINE)
    script = f"set -euo pipefail\nlogs=$(mktemp -d)\n{trap}\n{jobs}\nexit {code}"
    assert subprocess.run(["bash", "-c", script], timeout=50, check=False).returncode == code
