"""No packet leaves the machine on a day of the workbench: visitors from elsewhere, proxies, detect, review, release."""

import pytest

from tests import clips
from tests.browser import make_data_folder
from tests.workbench.isolated_process import run_isolated, skip_without_namespace

pytestmark = pytest.mark.slow


def test_no_packet_leaves_on_a_day_of_the_workbench(models, tmp_path):
    skip_without_namespace()
    (tmp_path / "data").mkdir()
    data = make_data_folder(tmp_path / "data", models)
    source = clips.video(tmp_path / "clip.mp4", frames=10, audio=[clips.Audio()])
    result = run_isolated("tests.workbench.server.isolated_day", data.root, source)
    assert result["traced"], "the tracer saw the server's sockets"
    assert result["contacts"] == []
    assert result["packets"] == 0
    # An ARP request and the packet's own attempt, seen by the counter and by strace.
    assert result["control"]["packets"] > 0
    assert result["control"]["contacts"] == 1
