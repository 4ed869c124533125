"""Help on every page: its text, the glossary, the shortcuts, and a tour that is offered until it is dismissed."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from engine import access
from engine.access.tour import dismiss_tour, has_seen_tour
from engine.storage.data_folder import DataFolder
from tests.repository import ROOT
from workbench.components.glossary import GLOSSARY
from workbench.components.page_help import list_pages_with_help
from workbench.components.shortcuts import list_review_keys
from workbench.core.links import Page


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(tmp_path))
    return DataFolder(tmp_path)


def shown(page=None):
    app = AppTest.from_file(ROOT / "workbench" / "navigation.py", default_timeout=60).run()
    return app.switch_page(f"../pages/{page}.py").run() if page else app


def test_words_are_those_of_the_glossary():
    rows = dict(re.findall(r"^\| ([^|]+?) \| (.+) \|$", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE))
    assert {term: re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", rows[term]) for term in GLOSSARY} == dict(GLOSSARY)


def test_every_page_has_help_and_the_keys_of_review_are_read_from_their_table():
    assert set(list_pages_with_help()) == set(Page)
    keys = dict(list_review_keys())
    assert keys["N"] == "Write a note on the item or the frame"
    assert len(keys) > 30


@pytest.mark.slow
def test_help_opens_on_every_page(data):
    for page in (None, "detect", "policy"):
        app = shown(page)
        app.button(key="help").click().run()
        assert not app.exception
        assert [tab.label for tab in app.tabs] == ["This page", "Shortcuts", "Glossary", "Tour"]
        said = " ".join(one.value for one in app.markdown)
        assert "On every page" in said and "**Amendment**" in said


@pytest.mark.slow
def test_the_tour_is_offered_until_it_is_taken_or_dismissed(data):
    app = shown()
    app.button(key="tour-start").click().run()
    assert not app.exception
    assert any("1 of 5" in one.value for one in app.markdown)
    assert has_seen_tour(data, access.get_single_user(data).account)
    app = shown()
    assert "tour-start" not in {one.key for one in app.button}


def test_a_damaged_note_of_the_tour_shows_it_again(data):
    dismiss_tour(data, "ann")
    assert has_seen_tour(data, "ann")
    data.tours.write_text("{")
    assert not has_seen_tour(data, "ann")
