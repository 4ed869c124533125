"""How long the controls of Sign off take to answer, each pressed five times, alone on the machine.

It shows a run of forty seconds with sound, three people and more than twenty items to check.
"""

import pytest

from tests.benchmarks.answers import (
    Control,
    arrive,
    fill,
    find_button,
    find_text,
    local,
    measure_all,
    open_list,
    pick,
    press_key,
    settle,
    steps,
)
from tests.benchmarks.interview import make_interview
from tests.browser import TIMEOUT_S, make_data_folder, running_workbench
from tests.people_makers import ask_for_no_checks
from tests.workbench.page_actions import find_form, go_to_step

LONG_MS = 4 * TIMEOUT_S * 1000


@pytest.fixture(scope="module")
def interview(models, tmp_path_factory):
    """A server with the run, which can be signed without a look."""
    data = make_data_folder(tmp_path_factory.mktemp("interview"), models)
    ask_for_no_checks(data)
    run = make_interview(data, (640, 360), 25, 4)
    # Each press of the button that releases ends at once: a file is where the folder of the releases would be.
    run.folder.releases.write_bytes(b"")
    with running_workbench(data) as server:
        yield server, run


def at_step(name):
    return lambda page: go_to_step(page, name)


def expand(name):
    return lambda page: page.get_by_test_id("stExpander").filter(has_text=name).locator("summary").first.click()


def submit(button):
    return lambda page: find_form(page, button).get_by_role("button", name=button, exact=True).click()


def choose_style(name):
    return lambda page: page.get_by_role("radiogroup", name="Style").get_by_text(name, exact=True).click()


def choose_step(name):
    return lambda page: page.get_by_role("radiogroup", name="Step").get_by_text(name).click()


def sign(button):
    """Sign, and wait until it is done."""
    return steps(at_step("4. Sign"), submit(button), lambda page: page.get_by_text("Signed: ").wait_for(), settle)


def send_back(page):
    """Send the run back, so that it can be signed again."""
    at_step("4. Sign")(page)
    form = find_form(page, "Send back")
    if not form.is_visible():
        expand("Send back")(page)
    form.get_by_label("Reason (required)").fill("again")
    page.wait_for_timeout(300)
    submit("Send back")(page)
    page.get_by_text("sent this run back").wait_for()
    settle(page)


def open_notes(page):
    if not page.get_by_label("Note on the run").is_visible():
        expand("Notes")(page)


def write_note(page):
    open_notes(page)
    page.get_by_label("Note on the run").fill("Look again")


def open_span_form(page):
    form = find_form(page, "Add span")
    if not form.is_visible():
        page.get_by_text("Mute or bleep a span").click()
    form.get_by_label("Reason (required)").fill("a name")


def listen(page):
    if not page.get_by_label("Play from (s)").count():
        find_text("Listen to the audio")(page)
        page.get_by_label("Play from (s)").wait_for()


def wait_for_draft(page):
    page.get_by_label("Draft", exact=True).first.wait_for(timeout=LONG_MS)
    settle(page)


def have_draft(page):
    if not page.get_by_label("Draft", exact=True).count():
        find_button("Render a draft")(page)
    wait_for_draft(page)


def remove_draft(page):
    wait_for_draft(page)
    find_button("Remove draft")(page)
    page.get_by_label("Draft", exact=True).wait_for(state="detached")
    settle(page)


STEPS = {
    **{
        f"step {name}": Control(choose_step(name), at_step(other))
        for name, other in (
            ("1. Summary", "5."), ("2. Draft", "1."), ("3. Style", "1."), ("4. Sign", "1."), ("5. Release", "1.")
        )
    },
    "Continue": Control(lambda page: page.get_by_role("button", name="Continue: ").click(), at_step("1. Summary")),
    "Back": Control(find_button("Back"), at_step("4. Sign")),
}  # fmt: skip
SUMMARY = {
    "signature covers": local(expand("What a signature covers")),
    "residual risk": local(expand("Residual risk")),
    "notes": local(expand("Notes")),
    "add a note": Control(find_button("Add note"), write_note),
    "a note is done": Control(find_button("Done"), open_notes),
}
STYLE = {
    "a style": Control(choose_style("Broadcast"), steps(choose_style("Strong"), settle)),
    "a style of one's own": Control(choose_style("Custom"), steps(choose_style("Strong"), settle)),
    "a method": Control(pick("Mosaic"), open_list("Method"), restore=steps(settle, open_list("Method"), pick("Blur"))),
    "a slider": Control(press_key("Mask size (face boxes)"), choose_style("Custom")),
    "a frame for the comparison": Control(fill("Frame for the comparison", "100", "200", "300")),
    "listen": Control(find_text("Listen to the audio"), text=""),
    "play from": Control(fill("Play from (s)", "1", "2", "3"), listen),
    "add a span": Control(
        find_button("Add span"), open_span_form, restore=steps(settle, find_button("Remove"), settle)
    ),
    "remove a span": Control(find_button("Remove"), steps(open_span_form, find_button("Add span"), settle)),
}
DRAFT = {
    "render a draft": Control(find_button("Render a draft"), restore=remove_draft),
    "remove a draft": Control(find_button("Remove draft"), have_draft),
    "play": local(find_button("Play"), have_draft, restore=find_button("Pause")),
    "pause": local(find_button("Pause"), steps(have_draft, find_button("Play"))),
}
SIGN = {
    "a reason": local(lambda page: page.get_by_label("Reason").first.press("x"), at_step("4. Sign")),
    "reviewed": Control(submit("Sign as reviewed"), at_step("4. Sign"), "Signed: ", steps(settle, send_back)),
    "approved": Control(submit("Approve"), sign("Sign as reviewed"), "Signed: ", steps(settle, send_back)),
    "send back": Control(send_back, sign("Sign as reviewed"), "sent this run back"),
    "signatures": local(expand("signatures"), at_step("4. Sign")),
}
RELEASE = {"release": Control(submit("Release the final video"), text="Release stopped", restore=settle)}


@pytest.mark.parametrize(
    ("step", "controls"),
    [("1. Summary", STEPS), ("1. Summary", SUMMARY), ("3. Style", STYLE), ("2. Draft", DRAFT), ("4. Sign", SIGN)],
    ids=["steps", "summary", "style", "draft", "sign"],
)  # fmt: skip
def test_sign_off(interview, page, step, controls, record_figure):
    server, run = interview
    arrive(page, f"{server.url}/signoff?run={run.id}", at_step(step))
    measure_all(page, "Sign off", controls, record_figure)


def test_release(interview, page, record_figure):
    server, run = interview
    arrive(page, f"{server.url}/signoff?run={run.id}", None)
    for button in ("Sign as reviewed", "Approve"):
        sign(button)(page)
    at_step("5. Release")(page)
    measure_all(page, "Sign off", RELEASE, record_figure)
