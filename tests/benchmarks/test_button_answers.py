"""How long each button takes until something on the page changes, alone on the machine.

Every button that can be seen is pressed, on every page and in its views; a button that leads elsewhere or is gone after
another one has its page loaded again. Downloads and links are left out: the browser answers them by itself.
"""

import os
from collections import Counter
from statistics import median

import pytest

from tests import clips
from tests.browser import make_data_folder, open_address, running_workbench, wait_until_settled
from tests.people_makers import ask_for_no_checks
from tests.queue_holder import hold_queue
from tests.workbench.run_makers import make_run
from tests.workbench.run_states import make_runs_in_every_state

LIMIT_MS = 200
LONGEST_WAIT_MS = 6000
MAX_BUTTONS = 60
UNANSWERED = {"Deploy"}
"""Buttons of Streamlit's own toolbar."""

BUTTONS = """() => {
  const found = [];
  const collect = (root) => {
    for (const one of root.querySelectorAll("button, [role=tab]")) {
      const box = one.getBoundingClientRect();
      const seen = box.width && box.height && getComputedStyle(one).visibility !== "hidden" && !one.disabled;
      if (seen && !one.closest('[data-testid="stDownloadButton"], header, [data-testid="stElementToolbar"]')) {
        found.push(one);
      }
    }
    root.querySelectorAll("*").forEach((one) => one.shadowRoot && collect(one.shadowRoot));
  };
  collect(document);
  window.veilButtons = found;
  const nameOf = (one) => one.getAttribute("aria-label") || one.title || one.innerText || "?";
  return found.map((one) => nameOf(one).trim().split("\\n").at(-1));
}"""

PRESS = """([place, longest]) => new Promise((done) => {
  const button = window.veilButtons[place];
  const roots = [document.body];
  const collect = (root) => root.querySelectorAll("*").forEach((one) => {
    if (one.shadowRoot) { roots.push(one.shadowRoot); collect(one.shadowRoot); }
  });
  collect(document);
  const began = performance.now();
  const seen = ({type, attributeName, target}) => type !== "attributes" || (
    !["data-test-script-state", "data-stale", "data-latency", "data-test-connection-state"].includes(attributeName) &&
    target.getBoundingClientRect().width > 0);
  const observer = new MutationObserver((changes) => {
    if (changes.some(seen)) {
      observer.disconnect();
      requestAnimationFrame(() => done(performance.now() - began));
    }
  });
  const what = {subtree: true, childList: true, attributes: true, characterData: true};
  roots.forEach((root) => observer.observe(root, what));
  button.click();
  setTimeout(() => { observer.disconnect(); done(null); }, longest);
})"""


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


def step(name):
    return lambda page: page.get_by_role("radiogroup", name="Step").get_by_text(name).click()


PLACES = {
    "Home": ("/", None),
    "Detect": ("/detect", None),
    "Review": ("/review?run={run}", None),
    **{
        f"Analyse, {name}": ("/analyse?run={run}", choose(name))
        for name in ("Over time", "Agreement", "Differences", "Distributions", "Ground truth", "Tables", "SQL")
    },
    **{
        f"Sign off, {name}": ("/signoff?run={run}", step(name))
        for name in ("1. Summary", "2. Draft", "3. Style", "4. Sign", "5. Release")
    },
    "Policy": ("/policy", None),
}


def arrive(page, address, act):
    """Load a page and wait until nothing happens any more."""
    open_address(page, address)
    if "/review" in address:
        page.locator(".review[data-frame]").wait_for()
    if act is not None:
        act(page)
        wait_until_settled(page)
    page.wait_for_timeout(700)


def find_next(names, pressed):
    """Return the place and the name of the first button that was not pressed yet, None if all were."""
    seen = Counter()
    for place, name in enumerate(names):
        if name not in UNANSWERED and seen[name] >= pressed[name]:
            return place, name
        seen[name] += 1
    return None


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
        answered = page.evaluate(PRESS, [number, LONGEST_WAIT_MS])
        pressed[name] += 1
        waits[f"{name} {pressed[name]}"] = LONGEST_WAIT_MS if answered is None else answered
        page.keyboard.press("Escape")
        page.wait_for_timeout(150)
        wait_until_settled(page)
        if page.url.partition("?")[0] != address.partition("?")[0]:
            arrive(page, address, act)
    slow = sorted(((wait, name) for name, wait in waits.items() if wait >= LIMIT_MS), reverse=True)
    if os.environ.get("VEIL_EACH_BUTTON"):
        for name, wait in waits.items():
            record_figure(f"  {place}: {name}", wait, "ms")
    record_figure(f"{place}: {len(waits)} buttons, median", median(waits.values()), "ms")
    record_figure(f"{place}: the slowest, {slow[0][1] if slow else 'all below'}", max(waits.values()), "ms", LIMIT_MS)
