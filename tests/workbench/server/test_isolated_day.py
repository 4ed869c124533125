"""No packet leaves the machine on a day of the workbench: visitors from elsewhere, proxies, detect, review, release."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests import clips
from tests.browser import CI, make_data_folder
from tests.workbench.server.isolated_day import ISOLATED

pytestmark = pytest.mark.slow


def test_no_packet_leaves_on_a_day_of_the_workbench(models, tmp_path):
    missing = [name for name in ("strace", "unshare", "ip") if shutil.which(name) is None]
    allowed = (
        not missing and subprocess.run([*ISOLATED, "ip", "link"], check=False, capture_output=True).returncode == 0
    )
    if not allowed:
        assert not CI, "network namespaces and strace must be there in continuous integration"
        pytest.skip(f"no network namespace or strace: {', '.join(missing) or 'this machine allows none'}")
    (tmp_path / "data").mkdir()
    data = make_data_folder(tmp_path / "data", models)
    source = clips.video(tmp_path / "clip.mp4", frames=10, audio=[clips.Audio()])
    command = [*ISOLATED, sys.executable, "-m", "tests.workbench.server.isolated_day", str(data.root), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": "."})
    assert done.returncode == 0, done.stderr + done.stdout
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["traced"], "the tracer saw the server's sockets"
    assert result["contacts"] == []
    assert result["packets"] == 0
    # An ARP request and the packet's own attempt, seen by the counter and by strace.
    assert result["control"]["packets"] > 0
    assert result["control"]["contacts"] == 1
