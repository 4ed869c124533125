"""The pages: their files, titles and signs, and the way from one to another."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from engine.access import Action, Person, may
from workbench.core.links import Page, Place
from workbench.theme.css import FIRST

_FOLDER = Path(__file__).parents[2] / "pages"
_HERE = Place()


@dataclass(frozen=True, slots=True)
class Listed:
    """A page as the navigation shows it, and what one has to be allowed to do to have a use for it."""

    file: Path
    title: str
    icon: str
    action: Action | None = None


LISTED = MappingProxyType({
    Page.HOME: Listed(_FOLDER / "home.py", "Home", ":material/home:"),
    Page.DETECT: Listed(_FOLDER / "detect.py", "Detect", ":material/center_focus_strong:", "detect"),
    Page.REVIEW: Listed(_FOLDER / "review.py", "Review", ":material/fact_check:", "look"),
    Page.ANALYSE: Listed(_FOLDER / "analyse.py", "Analyse", ":material/query_stats:", "analyse"),
    Page.SIGN_OFF: Listed(_FOLDER / "signoff.py", "Sign off", ":material/approval:", "look"),
    Page.LIVE: Listed(_FOLDER / "live.py", "Live", ":material/sensors:", "live"),
})  # fmt: skip


def existing() -> list[Page]:
    """The pages that exist, in the order of the navigation."""
    return [page for page, listed in LISTED.items() if listed.file.is_file()]


def open_to(page: Page, person: Person) -> bool:
    """Whether somebody has a use for a page; what they do on it is asked of the engine all the same."""
    action = LISTED[page].action
    return action is None or may(person, action)


def page_of(page: Page, *, hidden: bool = False) -> StreamlitPage:
    """A page as Streamlit takes it; a hidden one has its address, and no place in the navigation."""
    listed = LISTED[page]
    return st.Page(
        listed.file,
        title=listed.title,
        icon=listed.icon,
        url_path=page.value,
        default=page is Page.HOME,
        visibility="hidden" if hidden else "visible",
    )


def way_to(page: Page, label: str | None = None, place: Place = _HERE, *, first: bool = False) -> None:
    """A link to a page at a place; nothing where that page does not exist.

    Args:
        page: where to.
        label: what is written on it, the title of the page when left out.
        place: of which run, and where in it.
        first: whether it is the way that one is most likely to take; it looks like a button then.
    """
    if page not in existing():
        return
    frame = st.container(key=f"{FIRST}-{page.value}-{place.run}", width="content") if first else nullcontext()
    with frame:
        st.page_link(page_of(page), label=label or LISTED[page].title, query_params=place.parameters())
