"""Live on the machine itself: the server sends nothing to another machine, and asks the network for no name."""

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


@pytest.mark.usefixtures("launch_browser")
def test_the_live_page_contacts_no_other_machine(models, carphone, tmp_path):
    missing = [name for name in ("strace", "unshare", "ip") if shutil.which(name) is None]
    allowed = (
        not missing and subprocess.run([*ISOLATED, "ip", "link"], check=False, capture_output=True).returncode == 0
    )
    if not allowed:
        assert not CI, "network namespaces and strace must be there in continuous integration"
        pytest.skip(f"no network namespace or strace: {', '.join(missing) or 'this machine allows none'}")
    (tmp_path / "data").mkdir()
    data, clip = make_data_folder(tmp_path / "data", models), tmp_path / "drive.mp4"
    clips.ffmpeg(
        "-stream_loop", "59", "-i", carphone, "-vf", "scale=640:480", "-c:v", "libx264", "-preset", "ultrafast", clip
    )  # fmt: skip
    command = [*ISOLATED, sys.executable, "-m", "tests.workbench.views.live.isolated_live", str(data.root), str(clip)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": "."})
    assert done.returncode == 0, done.stderr + done.stdout
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["media"], "the tracer saw the picture leave the server for the browser"
    assert result["foreign"] == []
    assert result["names on"] == ["224.0.0.251"], "the tracer would have seen a question for a name"
    assert result["names off"] == []
