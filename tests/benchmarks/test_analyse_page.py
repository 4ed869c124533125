"""Analyse over many runs: how long until the first plot, how long each filter takes, how much memory the server has.

Twenty runs of half an hour each, ten hours together; VEIL_INDEX_FRAMES=600 makes them short. docs/guides/analyse.md has
the figures.
"""

import os
import re
import statistics
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from engine import index
from engine.storage.data_folder import DataFolder
from tests.browser import running_workbench, wait_until_settled
from tests.engine.index.long_records import write_long_runs

RUNS = 20
FRAMES = int(os.environ.get("VEIL_INDEX_FRAMES", "54000"))
FIRST_PLOT_LIMIT_S = 2
FILTER_LIMIT_S = 1
MEMORY_LIMIT_MB = 1000
KEPT = os.environ.get("VEIL_INDEX_DATA")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Twenty runs, indexed; in a folder that is kept when $VEIL_INDEX_DATA names one."""
    root = Path(KEPT) if KEPT else tmp_path_factory.mktemp("many")
    if not (root / "runs").exists():
        write_long_runs(root, RUNS, FRAMES)
    opened = index.open_index(root)
    assert len(opened.indexed_runs) == RUNS
    return DataFolder(root)


def until_it_stands(page):
    """Wait until a rerun was seen to begin and to end, and the browser has drawn."""
    page.wait_for_function("() => window.veilRuns > 0")
    wait_until_settled(page)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


WATCH = """() => {
    window.veilRuns = 0;
    window.veilWatch?.disconnect();
    const app = document.querySelector('.stApp');
    window.veilWatch = new MutationObserver(() => {
        if (app.dataset.testScriptState === 'running') window.veilRuns += 1;
    });
    window.veilWatch.observe(app, {attributes: true});
}"""


def timed(page, act):
    page.evaluate(WATCH)
    start = time.perf_counter()
    act()
    until_it_stands(page)
    return time.perf_counter() - start


def first_plot(page, act):
    start = time.perf_counter()
    act()
    page.wait_for_selector(".js-plotly-plot .main-svg")
    return time.perf_counter() - start


def plot_of_a_new_visitor(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(60_000)
    seconds = first_plot(page, lambda: page.goto(f"{server.url}/analyse"))
    context.close()
    return seconds


def choose(page, name):
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()


def pick(page, label, text):
    page.get_by_test_id("stMultiSelect").filter(has_text=label).locator("input").click()
    page.get_by_role("option").filter(has_text=text).first.click()


def nudge(page, label, key="ArrowRight", *, last=False):
    thumbs = page.get_by_test_id("stSlider").filter(has_text=label).get_by_role("slider")
    (thumbs.last if last else thumbs.first).press(key)


def resident(pid):
    """Bytes of memory that a process and its children hold now, and have held at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    return tuple(1024 * int(re.search(rf"{name}:\s+(\d+)", status).group(1)) for name in ("VmRSS", "VmHWM"))


@pytest.fixture
def browser(launch_browser):
    """A browser in which V8 does not parse plotly four times again because a debugger, Playwright, is attached."""
    opened = launch_browser("--js-flags=--no-enable-lazy-source-positions")
    yield opened
    opened.close()


def until_it_is_ready(server):
    """The server listens a moment before it answers."""
    with urlopen(f"{server.url}/_stcore/health", timeout=60) as answer:
        assert answer.read() == b"ok"


def test_analyse_over_ten_hours(many, browser, record_figure):
    figures = {}
    with running_workbench(many) as server:
        until_it_is_ready(server)
        cold = [plot_of_a_new_visitor(browser, server) for _ in range(5)]
        figures["first plot of a browser that was never here, median"] = statistics.median(cold)
        context = browser.new_context(viewport={"width": 1280, "height": 1400})
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(server.url)
        wait_until_settled(page)
        for time_of_day in ("first", "second"):
            link = page.get_by_role("link", name="Analyse", exact=True)
            figures[f"{time_of_day} plot from Home"] = first_plot(page, link.click)
            wait_until_settled(page)
            if time_of_day == "first":
                page.get_by_role("link", name="Home", exact=True).click()
                page.get_by_role("heading", name="Home").wait_for()
                wait_until_settled(page)
        changes = {
            "least score": lambda: nudge(page, "Minimum confidence"),
            "time": lambda: nudge(page, "Time"),
            "height": lambda: nudge(page, "Height"),
            "detector": lambda: pick(page, "Detectors", "yolov8-face"),
            "a second run": lambda: pick(page, "Runs", "0012"),
            "agreement of two runs": lambda: choose(page, "Agreement"),
            "distributions of two runs": lambda: choose(page, "Distributions"),
            "score on distributions": lambda: nudge(page, "Minimum confidence"),
            "table of faces": lambda: choose(page, "Tables"),
            "table of evidence": lambda: choose(page, "evidence"),
            "back over time": lambda: choose(page, "Over time"),
        }
        for name, act in changes.items():
            figures[name] = timed(page, act)
            page.keyboard.press("Escape")  # a list of options that is still open lies over what comes next
        for number in range(2, 8):
            figures[f"run {number + 1}"] = timed(page, lambda: pick(page, "Runs", "interview"))
            page.keyboard.press("Escape")
        now, most = resident(server.pid)
        context.close()
    for name, seconds in figures.items():
        record_figure(f"Analyse: {name}", seconds, "s", FIRST_PLOT_LIMIT_S if "plot" in name else FILTER_LIMIT_S)
    record_figure("Analyse: server memory now", now / 1e6, "MB")
    record_figure("Analyse: server memory at most", most / 1e6, "MB", MEMORY_LIMIT_MB)
