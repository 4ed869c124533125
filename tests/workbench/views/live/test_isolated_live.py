"""Live on the machine itself: the server sends nothing to another machine, and asks the network for no name."""

import pytest

from tests import clips
from tests.browser import make_data_folder
from tests.workbench.isolated_process import run_isolated, skip_without_namespace

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("launch_browser")
def test_the_live_page_contacts_no_other_machine(models, carphone, tmp_path):
    skip_without_namespace()
    (tmp_path / "data").mkdir()
    data, clip = make_data_folder(tmp_path / "data", models), tmp_path / "drive.mp4"
    clips.repeated(clip, carphone, 60, filters=clips.SMALL_AND_FEW)
    result = run_isolated("tests.workbench.views.live.isolated_live", data.root, clip)
    assert result["media"], "the tracer saw the picture leave the server for the browser"
    assert result["foreign"] == []
    assert result["names on"] == ["224.0.0.251"], "the tracer would have seen a question for a name"
    assert result["names off"] == []
