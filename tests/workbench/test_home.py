"""The page Home in its states."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine import runs
from engine.jobs.queue import lock
from tests.workbench.states import fill

PAGE = Path(__file__).parents[2] / "pages" / "home.py"


@pytest.fixture
def app(place, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(place.root))
    return AppTest.from_file(PAGE, default_timeout=60)


def sample(app):
    return next(button for button in app.button if "sample" in button.label)


def test_an_empty_page_says_what_to_do_first_and_the_sample_is_one_click_away(app, place):
    app.run()
    assert not app.exception
    assert "Nothing has been detected yet" in app.markdown[0].value
    with lock(place):
        sample(app).click().run()
    assert not app.exception
    (run,) = runs.register(place).runs
    assert (run.status, run.title) == ("queued", "sample interview.mp4")
    assert run.source.is_file()


def test_without_models_the_sample_says_how_to_get_them(app, place):
    (place.root / "models").unlink()
    app.run()
    sample(app).click().run()
    assert not app.exception
    assert "veil models fetch" in app.error[0].value
    assert runs.register(place).runs == ()


def test_every_state_has_its_place(app, place):
    fill(place)
    with lock(place):
        app.run()
    assert not app.exception
    assert [(metric.label, metric.value) for metric in app.metric] == [
        ("Waiting for you", "2"), ("Running", "2"), ("Waiting for others", "0"), ("Without an end", "3"),
        ("Released", "0"),
    ]  # fmt: skip
    assert "veil/run-state/9" in app.warning[0].value
    assert sum("waits for review" in element.value for element in app.markdown) == 2
