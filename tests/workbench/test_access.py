"""Pages by keyboard and for screen readers: axe-core finds nothing serious."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from engine.jobs.queue import lock
from tests import clips
from tests.workbench.conftest import data_with_models, serving, visit, with_people
from tests.workbench.states import fill

SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def busy(models, tmp_path_factory):
    """A server with a run in every state."""
    data = data_with_models(tmp_path_factory.mktemp("busy"), models)
    fill(data)
    with serving(data) as server:
        yield server


def violations(page):
    """What axe-core finds serious, in words."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html']}: {node.get('failureSummary')}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/detect"])
def test_pages_have_no_serious_violation(busy, page, path, scheme):
    page.emulate_media(color_scheme=scheme)
    visit(page, busy.url + path)
    page.get_by_text("12,340 of 27,000").wait_for()
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_has_no_violation(place, page, scheme):
    page.emulate_media(color_scheme=scheme)
    with serving(with_people(place)) as server:
        page.goto(server.url)
        assert violations(page) == []


def test_a_run_is_started_with_the_keyboard_alone(place, page):
    place.footage.mkdir()
    clips.video(place.footage / "clip.mp4", frames=4)
    with serving(place) as server, lock(place):
        visit(page, f"{server.url}/detect")
        tab_to(page, "combobox", "Footage")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Start 1 run").wait_for()
        tab_to(page, "button", "Start 1 run")
        page.keyboard.press("Enter")
        page.get_by_text("Waits for the runs before it.").wait_for()


def tab_to(page, role, name):
    """Press Tab until an element has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True)
    for _ in range(40):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === element.ownerDocument.activeElement"):
            return
    pytest.fail(f"Tab does not lead to the {role} {name}")
