"""A workbench that runs, and a browser that looks at it.

`running_workbench` starts a server on a data folder. The fixtures `launch_browser`, `chromium` and `page` give browsers
and windows; a conftest that needs them imports them. `open_address` goes to an address and waits until the page has
wait_until_settled.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.storage.data_folder import DataFolder

CI = os.environ.get("CI") == "true"
TIMEOUT_S = 60
# The shell renders as Chromium does, and takes two thirds of its processor time, as it has no windows.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@dataclass(frozen=True)
class Server:
    """A workbench that answers at `url`, works in the folder `data` and writes what it says to the file `log`."""

    url: str
    data: DataFolder
    log: Path
    pid: int

    def read_memory_kb(self):
        """The memory of the server's process that is in use, in KiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


@contextmanager
def running_workbench(data, *words, port=None, wrapper=(), **environment):
    """Start `veil workbench` on a data folder, and end it afterwards.

    Args:
        data: the folder.
        words: more arguments of Streamlit, which are handed on by its own environment variables when they are names.
        port: to listen on; a free one when left out.
        wrapper: command in front of the server's, which becomes the server in the same process.
        environment: of the server, beside what is there.
    """
    port = port or find_free_port()
    log = Path(data.root) / "workbench.log"
    command = [
        *wrapper,
        sys.executable,
        "-m",
        "engine.cli",
        "workbench",
        "--port",
        str(port),
        "--data",
        str(data.root),
        *words,
    ]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **environment})
    try:
        wait_until_listening(process, port, log)
        yield Server(f"http://localhost:{port}", data, log, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(TIMEOUT_S)


def find_free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_listening(process, port, log):
    """Wait until a process listens on a port."""
    for _ in range(TIMEOUT_S * 20):
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    pytest.fail(f"it did not answer within {TIMEOUT_S} s: {log.read_text()}")


def make_data_folder(folder, models):
    """A data folder that shares the models."""
    (folder / "models").symlink_to(models)
    return DataFolder(folder)


def find_browser():
    """The path of a browser; None if there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session")
def launch_browser():
    """Starts browsers, with more arguments if need be; Playwright runs only once in a process."""
    path = find_browser()
    if path is None:
        assert not CI, "Chromium must be there in continuous integration"
        pytest.skip("Chromium is not installed; the workbench cannot be seen without a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(executable_path=path, args=[*CHROMIUM, *more])


@pytest.fixture(scope="session")
def chromium(launch_browser):
    """The browser."""
    browser = launch_browser()
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def visitor(chromium):
    """What the windows of `page` share: what servers send with leave to keep it, which takes half of a page's time."""
    with new_visitor(chromium) as context:
        yield context


@pytest.fixture
def page(visitor):
    """A window of a browser in which nobody has left anything but files of the server."""
    made = visitor.new_page()
    made.set_default_timeout(TIMEOUT_S * 1000)
    yield made
    for window in visitor.pages:
        if window.url.startswith("http"):
            window.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        window.close()
    visitor.clear_cookies()
    visitor.clear_permissions()


@contextmanager
def new_visitor(browser, *, obeys_policy=False):
    """What windows share that share nothing with others; see `open_window`."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme="light", bypass_csp=not obeys_policy
    )
    yield context
    context.close()


@contextmanager
def open_window(browser, *, obeys_policy=False):
    """A window that shares nothing with others of the same browser.

    Args:
        browser: the browser.
        obeys_policy: obey the content security policy of the pages, under which Playwright cannot wait for functions.
    """
    with new_visitor(browser, obeys_policy=obeys_policy) as context:
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_S * 1000)
        yield page


def open_address(page, address):
    """Go to an address of a server and wait until its page stands still."""
    page.goto(address)
    wait_until_settled(page)


def wait_until_settled(page):
    """Wait until the page shows something in its own look, which the browser loads by itself, and no script runs."""
    page.wait_for_selector("h1", state="visible")
    page.wait_for_selector(".stApp[data-test-script-state=notRunning]", state="attached")
    styled = "[...document.querySelectorAll('style')].some(one => one.textContent.includes('[data-tag]'))"
    page.wait_for_function(styled)


def save_screenshot(page, name):
    """Keep a screenshot where $VEIL_SCREENSHOTS names a folder; for people, no test looks at it."""
    folder = os.environ.get("VEIL_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


_END_OF_TRANSITIONS = """() => Promise.all(document.getAnimations()
    .filter(one => one.effect.getComputedTiming().endTime < Infinity)
    .map(one => one.finished.catch(() => null))).then(() => null)"""


def find_violations(page):
    """What axe-core finds on a page that keeps people out, in words; what fades in or out is waited for."""
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate(_END_OF_TRANSITIONS)
    return [
        f"{one['id']}: {node['html']}: {node.get('failureSummary')}"
        for one in Axe().run(page).response["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]
