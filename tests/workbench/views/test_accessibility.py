"""Pages by keyboard and for screen readers: axe-core finds nothing serious."""

import re

import pytest
from msgspec.structs import replace

from engine import runs
from engine.access import get_single_user
from engine.jobs.queue import cancel_waiting_runs
from tests.browser import find_violations, make_data_folder, open_address, running_workbench
from tests.queue_holder import hold_queue
from tests.workbench.run_makers import make_run
from tests.workbench.run_states import make_runs_in_every_state


@pytest.fixture(scope="module")
def busy(models, tmp_path_factory):
    """A server with a run in every state."""
    data = make_data_folder(tmp_path_factory.mktemp("busy"), models)
    make_runs_in_every_state(data)
    make_run(data)
    with running_workbench(data) as server:
        yield server


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/detect"])
def test_pages_have_no_serious_violation(busy, page, path, scheme):
    page.emulate_media(color_scheme=scheme)
    open_address(page, busy.url + path)
    page.get_by_text("12,340 of 27,000").wait_for()
    assert find_violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "shown"), [("review", "Zoom timeline"), ("analyse", "Confidence"), ("signoff", "Residual risk")]
)
def test_pages_of_a_run_have_no_serious_violation(busy, page, path, shown, scheme):
    page.emulate_media(color_scheme=scheme)
    run = next(one for one in runs.read_register(busy.data).runs if one.title == "clip.mp4")
    open_address(page, f"{busy.url}/{path}?run={run.id}")
    page.get_by_text(shown).first.wait_for()
    assert find_violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_has_no_violation(workbench_with_accounts, page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(workbench_with_accounts.url)
    page.get_by_label("Password").wait_for()
    assert find_violations(page) == []


def test_a_list_that_is_refreshed_keeps_the_focus(busy, page):
    open_address(page, busy.url)
    cancel = page.get_by_role("button", name="Cancel").first
    cancel.focus()
    running = next(run for run in runs.read_register(busy.data).runs if run.status == "running")
    runs.write_state(running.folder, replace(running.state, done=12_345))
    page.get_by_text("12,345 of 27,000").wait_for()
    runs.write_state(running.folder, running.state)
    assert cancel.evaluate("element => element === element.ownerDocument.activeElement")


def test_an_icon_of_help_answers_before_its_text_shows(busy, page):
    open_address(page, f"{busy.url}/detect")
    icon = page.get_by_label("Help for Footage")
    read_colour = "element => getComputedStyle(element.querySelector('svg')).stroke"
    before = icon.evaluate(read_colour)
    icon.hover()
    assert icon.evaluate(read_colour) != before


def test_a_run_is_started_with_the_keyboard_alone(busy, page):
    before = {run.id for run in runs.read_register(busy.data).runs}
    with hold_queue(busy.data):
        open_address(page, f"{busy.url}/detect")
        tab_to(page, "combobox", "Footage")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Start 1 run").wait_for()
        page.locator("summary", has_text="Options").click()
        page.get_by_role("spinbutton", name="Parallel processes").wait_for()
        assert find_violations(page) == []
        tab_to(page, "button", "Start 1 run")
        page.keyboard.press("Enter")
        page.get_by_text(re.compile(r"Starting soon|Queued \(1 ahead\)")).last.wait_for()
        (queued,) = (run for run in runs.read_register(busy.data).runs if run.id not in before)
        assert (queued.title, queued.status) == ("clip.mp4", "queued")
        # Nobody is to work on it afterwards.
        cancel_waiting_runs(busy.data, get_single_user(busy.data))


def tab_to(page, role, name):
    """Press Tab until an element has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True)
    for _ in range(40):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === element.ownerDocument.activeElement"):
            return
    pytest.fail(f"Tab does not lead to the {role} {name}")
