"""Four people at once: two review, one analyses, and a detection goes on in the background."""

import re
from datetime import datetime

import pytest

from engine import audit, runs
from engine.record import sha256_hex
from engine.review.review_file import read_review
from tests import clips
from tests.browser import make_data_folder, running_workbench, save_screenshot, wait_until_settled
from tests.workbench.accounts import add_accounts
from tests.workbench.page_actions import (
    LONG_TIMEOUT_MS,
    add_face,
    choose_footage,
    list_faults,
    open_review,
    signed_in_window,
    wait_for_message,
    wait_until_painted,
)
from tests.workbench.run_makers import make_run
from workbench.core.links import Page, build_address

SIZE, FRAMES = (320, 240), 60
FACE = (20.0, 20.0, 90.0, 100.0)
ROUNDS = 3
VIEWS = ("Agreement", "Distributions", "Tables")


@pytest.fixture
def data(models, carphone, tmp_path):
    """Two runs to review, and a clip to detect that takes as long as the rest."""
    (tmp_path / "data").mkdir()
    data = add_accounts(make_data_folder(tmp_path / "data", models))
    data.library.mkdir()
    clips.repeated(data.library / "long.mp4", carphone, 2, filters="scale=352:288,setsar=1")
    return data


@pytest.fixture
def two(data):
    """The run that ben reviews, and that of dee."""
    sources = [clips.video(data.library / f"{name}.mp4", size=SIZE, frames=FRAMES) for name in ("ward", "hall")]
    return [make_run(data, source, lambda _: [FACE]) for source in sources]


def box(turn, shift):
    """Where a reviewer adds a face in one round; another place for each of the two."""
    left, top = 110 + 50 * turn, 20 + shift
    return (left, top, left + 40, top + 50)


def test_four_people_at_once_stay_apart(data, two, chromium):
    ward, hall = two
    with (
        running_workbench(data) as server,
        signed_in_window(chromium, server, "ana", "/detect") as ana,
        signed_in_window(chromium, server, "ben") as ben,
        signed_in_window(chromium, server, "cho", "/analyse") as cho,
        signed_in_window(chromium, server, "dee") as dee,
    ):
        open_review(ben, server, ward.id)
        open_review(dee, server, hall.id)
        choose_footage(ana, "long.mp4")
        ana.get_by_role("button", name="Start 1 run").click()
        ana.get_by_role("button", name="Cancel").wait_for()
        for turn in range(ROUNDS):
            together(turn, ben, dee, cho)
        begun = detecting(data, two)
        for page, name in ((ana, "Ana Bell"), (ben, "Ben Carr"), (cho, "Cho Diaz"), (dee, "Dee Eads")):
            assert page.get_by_test_id("stSidebar").get_by_text(name).is_visible()
        assert (f"run={ward.id}" in ben.url, f"run={hall.id}" in dee.url) == (True, True)
        ana.get_by_text(re.compile(r"240 frames · \d+ detections · ")).wait_for(timeout=LONG_TIMEOUT_MS)
        cho.goto(server.url + build_address(Page.ANALYSE, begun.id))
        wait_until_settled(cho)
        cho.get_by_text("long.mp4 · on-prem").first.wait_for()
        save_screenshot(cho, "together-analyse")
        assert [list_faults(page) for page in (ana, ben, cho, dee)] == [[], [], [], []]
        written = server.log.read_text()
    assert [word for word in ("Traceback", "Could not set lock", "Conflicting lock") if word in written] == []
    ended = datetime.fromisoformat(runs.load_run(data, begun.id).state.ended)
    for run, account, shift in ((ward, "ben", 0), (hall, "dee", 90)):
        mine = read_review(run.folder.review, sha256_hex(run.folder.record.read_bytes())).amendments
        assert {one.by.account for one in mine} == {account}
        assert mine[0].at < ended, "the detection went on beside it"
        lefts = [one.action.keyframes[0].box.left for one in mine]
        tops = [one.action.keyframes[0].box.top for one in mine]
        assert lefts == pytest.approx([box(turn, 0)[0] for turn in range(ROUNDS)], abs=3)
        assert tops == pytest.approx([20 + shift] * ROUNDS, abs=3)
        on_record = audit.read_entries(data.audit, run=run.id, kinds=["view", "amendment"])
        assert {entry.actor.account for entry in on_record} == {account}


def detecting(data, made):
    """The run that is not one of those that were made."""
    known = {run.id for run in made}
    (run,) = [run for run in runs.read_register(data).runs if run.id not in known]
    return run


def together(turn, ben, dee, cho):
    """Both reviewers add a face and step on, and the analyst looks at another view, none waiting for the others."""
    add_face(ben, SIZE, box(turn, 0), until=10 * turn + 5, reason=f"ben {turn}")
    add_face(dee, SIZE, box(turn, 90), until=10 * turn + 5, reason=f"dee {turn}")
    cho.get_by_test_id("stButtonGroup").get_by_text(VIEWS[turn], exact=True).click()
    for page in (ben, dee):
        wait_for_message(page, f"Saved as amendment {turn + 1}.")
        page.locator("rect.box.reviewer").first.wait_for()
        page.get_by_label("Frame number").fill(str(10 * (turn + 1)))
        page.get_by_label("Frame number").press("Enter")
    for page in (ben, dee):
        wait_until_painted(page, 10 * (turn + 1))
    wait_until_settled(cho)
    assert [list_faults(page) for page in (ben, dee, cho)] == [[], [], []]
