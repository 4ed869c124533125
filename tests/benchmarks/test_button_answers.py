"""How long each control takes until something on the page changes, alone on the machine.

Every button that can be seen is pressed, on every page and in its views; a button that leads elsewhere or is gone after
another one has its page loaded again, and one that took too long is pressed again for the median. Downloads, links and
the browser's own dialogs are left out: the browser answers them by itself, and what is chosen already has nothing to
answer. Icons of help answer when the pointer comes, everything else when it is pressed. What a button of Sign off does
depends on what was done before, so they have a benchmark of their own.

A list that refreshes itself changes the page, too. What such a refresh changes is no answer: Streamlit marks all parts
that are being computed by their classes, which nobody sees within half a second.
"""

import os
import time
from collections import Counter
from statistics import median

import pytest

from tests import clips
from tests.benchmarks.answers import (
    LIMIT_MS,
    WATCH,
    Control,
    arrive,
    click_text,
    close_what_is_open,
    measure,
    open_list,
    pick,
    press_key,
    wait_for_answer,
)
from tests.browser import make_data_folder, open_window, running_workbench, wait_until_settled
from tests.people_makers import ask_for_no_checks
from tests.queue_holder import hold_queue
from tests.workbench.run_makers import make_run
from tests.workbench.run_states import make_runs_in_every_state

FIRST_PLOT_S = 2
MAX_BUTTONS = 60
PRESSES = 5
"""How often a button is pressed whose first answer took too long: another program may have had the processor."""
UNANSWERED = {"Deploy"}
"""Buttons of Streamlit's own toolbar."""

BUTTONS = """() => {
  const found = [];
  const collect = (root) => {
    for (const one of root.querySelectorAll("button:not([role=radio][aria-checked=true]), [role=tab]")) {
      const box = one.getBoundingClientRect();
      const seen = box.width && box.height && one.checkVisibility({visibilityProperty: true}) && !one.disabled;
      const native = '[data-testid="stDownloadButton"], [data-testid="stFileUploaderDropzone"]';
      if (seen && !one.closest(`${native}, header, [data-testid="stElementToolbar"]`)) {
        found.push(one);
      }
    }
    root.querySelectorAll("*").forEach((one) => one.shadowRoot && collect(one.shadowRoot));
  };
  collect(document);
  window.veilButtons = found;
  const nameOf = (one) => one.getAttribute("aria-label") || one.title || one.innerText || "?";
  // Beside a text there is no more of a name than this, which the button that opens the help has, too.
  return found.map((one) =>
    one.ariaLabel === "Help" ? "Help for a text" : nameOf(one).trim().split("\\n").at(-1));
}"""

PRESS = "place => { window.veilAnswer.begin(); window.veilButtons[place].click(); }"
"""For a button that something lies over, such as the bar of the browser's own tools."""
FIND = """([place, kind]) => {
  const button = window.veilButtons[place];
  button.addEventListener(kind, window.veilAnswer.begin, {once: true});
  button.scrollIntoView({block: "center"});
  const box = button.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  return button.contains(button.getRootNode().elementFromPoint(x, y)) ? [x, y] : null;
}"""
"""Finds where to press or to point; the answer begins with the event of the pointer."""
HELP = "Help for "
"""Beginning of the names of icons that answer when the pointer comes."""
HELP_DELAY_MS = 200
"""How long Streamlit waits on purpose before it shows a help text, so that none flashes up below a pointer that passes.

The icon changes its colour at once. No event tells that, so the delay is taken off what is measured.
"""


@pytest.fixture(scope="module")
def busy(models, tmp_path_factory):
    """A server with runs in every state, two of one video among them, which has sound."""
    folder = tmp_path_factory.mktemp("busy")
    data = make_data_folder(folder, models)
    ask_for_no_checks(data)
    data.library.mkdir(parents=True)
    make_runs_in_every_state(data)
    source = clips.video(data.library / "talk.mp4", size=(640, 360), frames=120, audio=[clips.Audio()])
    for _ in range(2):
        run = make_run(data, source, lambda index: [(60.0, 60.0, 180.0, 200.0)] if index < 80 else [])
    with hold_queue(data), running_workbench(data) as server:
        yield server, run.id


def choose(name):
    return lambda page: page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()


PLACES = {
    "Home": ("/", None),
    "Detect": ("/detect", None),
    "Review": ("/review?run={run}", None),
    **{
        f"Analyse, {name}": ("/analyse?run={run}", choose(name))
        for name in ("Over time", "Agreement", "Differences", "Distributions", "Ground truth", "Tables", "SQL")
    },
    "Policy": ("/policy", None),
}


CONTROLS = {
    "Detect": {
        "a video": Control(pick("talk.mp4"), open_list("Footage"), "640 x 360"),
        "a mode": Control(lambda page: page.get_by_text("Cloud", exact=True).click(), text="in the cloud"),
        "another mode": Control(lambda page: page.get_by_text("Hybrid", exact=True).click(), text="Start 1 run\n"),
        "options": Control(lambda page: page.get_by_text("Options", exact=True).click(), text="If a frame is damaged"),
        "a setting": Control(lambda page: page.get_by_text("mask the whole frame").click()),
        "a detector": Control(pick("mtcnn"), open_list("Detectors")),
        "a priority": Control(pick("high priority"), open_list("Priority"), "high priority"),
        "start": Control(click_text("button", "Start 1 run"), text="1 run queued"),
    },
    "Analyse": {
        "minimum confidence": Control(press_key("Minimum confidence")),
        "height": Control(press_key("Face height")),
        "time": Control(press_key("Time (s)")),
        "a detector": Control(pick("mtcnn"), open_list("Detectors")),
        "a second run": Control(pick(""), open_list("Runs")),
        **{
            name: Control(choose(name))
            for name in ("Agreement", "Differences", "Distributions", "Ground truth", "Tables")
        },
        "a table": Control(choose("evidence")),
        "SQL": Control(choose("SQL")),
        "a schema": Control(pick("evidence"), open_list("Schema of")),
        "an answer": Control(lambda page: page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()),
        "back over time": Control(choose("Over time")),
    },
}


def find_next(names, pressed):
    """Return the place and the name of the first button that was not pressed yet, None if all were."""
    seen = Counter()
    for place, name in enumerate(names):
        if name not in UNANSWERED and seen[name] >= pressed[name]:
            return place, name
        seen[name] += 1
    return None


def press(page, number, name):
    """Press a button, or point at an icon of help, and return the milliseconds until something changes."""
    page.mouse.move(0, 0)
    page.evaluate(WATCH)
    if name.startswith(HELP):
        page.mouse.move(*page.evaluate(FIND, [number, "pointerover"]))
        return max(0, wait_for_answer(page) - HELP_DELAY_MS)
    if (place := page.evaluate(FIND, [number, "pointerdown"])) is None:
        page.evaluate(PRESS, number)
    else:
        page.mouse.click(*place)
    return wait_for_answer(page)


def press_again(page, address, act, label, times):
    """Press a button, by its name and its number among those of the name, each time on the page as it was loaded."""
    name, _, number = label.rpartition(" ")
    waits = []
    for _ in range(times):
        arrive(page, address, act)
        places = [place for place, one in enumerate(page.evaluate(BUTTONS)) if one == name]
        if len(places) >= int(number):
            waits.append(press(page, places[int(number) - 1], name))
            page.wait_for_timeout(150)
            wait_until_settled(page)
    return waits


@pytest.mark.parametrize("place", PLACES)
def test_every_button_answers(busy, page, place, record_figure):
    server, run = busy
    path, act = PLACES[place]
    address = server.url + path.format(run=run)
    arrive(page, address, act)
    waits, pressed = {}, Counter()
    while len(waits) < MAX_BUTTONS:
        found = find_next(page.evaluate(BUTTONS), pressed)
        if found is None:
            # Perhaps what was pressed last hides others.
            arrive(page, address, act)
            found = find_next(page.evaluate(BUTTONS), pressed)
        if found is None:
            break
        number, name = found
        pressed[name] += 1
        waits[f"{name} {pressed[name]}"] = press(page, number, name)
        page.wait_for_timeout(150)
        wait_until_settled(page)
        close_what_is_open(page)
        if page.url.partition("?")[0] != address.partition("?")[0]:
            arrive(page, address, act)
    for label, wait in waits.items():
        if wait >= LIMIT_MS:
            waits[label] = median([wait, *press_again(page, address, act, label, PRESSES - 1)])
    slow = sorted(((wait, name) for name, wait in waits.items() if wait >= LIMIT_MS), reverse=True)
    if os.environ.get("VEIL_EACH_BUTTON"):
        for name, wait in waits.items():
            record_figure(f"  {place}: {name}", wait, "ms")
    record_figure(f"{place}: {len(waits)} buttons, median", median(waits.values()), "ms")
    record_figure(f"{place}: the slowest, {slow[0][1] if slow else 'all below'}", max(waits.values()), "ms", LIMIT_MS)


@pytest.mark.parametrize("place", CONTROLS)
def test_every_control_answers(busy, page, place, record_figure):
    """Fields, lists and sliders, in the order in which a person would use them."""
    server, run = busy
    path, act = PLACES.get(place, (f"/{place.lower()}?run={run}", None))
    arrive(page, server.url + path.format(run=run), act)
    for name, control in CONTROLS[place].items():
        answered, followed = measure(page, control)
        close_what_is_open(page)
        record_figure(f"{place}: {name}", answered, "ms", LIMIT_MS)
        record_figure(f"{place}: {name}, until all of it is shown", followed, "ms")


@pytest.mark.parametrize("start", ["its address", "Home"])
def test_the_first_plot(busy, launch_browser, start, record_figure):
    """Until the first plot of Analyse shows, in a browser that was never here."""
    server, run = busy
    seconds = []
    # Because a debugger, Playwright, is attached, V8 would parse plotly four times again.
    browser = launch_browser("--js-flags=--no-enable-lazy-source-positions")
    for _ in range(3):
        with open_window(browser) as page:
            if start == "Home":
                arrive(page, server.url, None)
            began = time.perf_counter()
            if start == "Home":
                page.get_by_test_id("stSidebarNav").get_by_role("link", name="Analyse").click()
            else:
                page.goto(f"{server.url}/analyse?run={run}")
            page.wait_for_selector(".js-plotly-plot .main-svg")
            seconds.append(time.perf_counter() - began)
    browser.close()
    record_figure(f"Analyse: first plot from {start}, median", median(seconds), "s", FIRST_PLOT_S)
