"""The pages: their files, titles and signs, and the way from one to another."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from engine.access import Permission, Person, is_allowed
from workbench.core.links import Page, PageLocation
from workbench.theme.css import BUTTON_LINK_KEY

_PAGES_FOLDER = Path(__file__).parents[2] / "pages"
_NO_LOCATION = PageLocation()


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page as the navigation shows it, and what one has to be allowed to do to have a use for it."""

    file: Path
    title: str
    icon: str
    required_action: Permission | None = None


PAGE_ENTRIES = MappingProxyType({
    Page.HOME: PageEntry(_PAGES_FOLDER / "home.py", "Home", ":material/home:"),
    Page.DETECT: PageEntry(_PAGES_FOLDER / "detect.py", "Detect", ":material/center_focus_strong:", "detect"),
    Page.REVIEW: PageEntry(_PAGES_FOLDER / "review.py", "Review", ":material/fact_check:", "look"),
    Page.ANALYSE: PageEntry(_PAGES_FOLDER / "analyse.py", "Analyse", ":material/query_stats:", "analyse"),
    Page.SIGN_OFF: PageEntry(_PAGES_FOLDER / "signoff.py", "Sign off", ":material/approval:", "look"),
    Page.LIVE: PageEntry(_PAGES_FOLDER / "live.py", "Live", ":material/sensors:", "live"),
})  # fmt: skip


def list_existing_pages() -> list[Page]:
    """The pages that exist, in the order of the navigation."""
    return [page for page, listed in PAGE_ENTRIES.items() if listed.file.is_file()]


def can_use_page(page: Page, person: Person) -> bool:
    """Whether somebody has a use for a page; what they do on it is asked of the engine all the same."""
    action = PAGE_ENTRIES[page].required_action
    return action is None or is_allowed(person, action)


def to_streamlit_page(page: Page, *, hidden: bool = False) -> StreamlitPage:
    """A page as Streamlit takes it; a hidden one has its address, and no place in the navigation."""
    listed = PAGE_ENTRIES[page]
    return st.Page(
        listed.file,
        title=listed.title,
        icon=listed.icon,
        url_path=page.value,
        default=page is Page.HOME,
        visibility="hidden" if hidden else "visible",
    )


def show_page_link(
    page: Page, label: str | None = None, location: PageLocation = _NO_LOCATION, *, as_button: bool = False
) -> None:
    """A link to a page at a place; nothing where that page does not exist.

    Args:
        page: where to.
        label: what is written on it, the title of the page when left out.
        location: of which run, and where in it.
        as_button: whether it is the way that one is most likely to take; it looks like a button then.
    """
    if page not in list_existing_pages():
        return
    frame = (
        st.container(key=f"{BUTTON_LINK_KEY}-{page.value}-{location.run}", width="content")
        if as_button
        else nullcontext()
    )
    with frame:
        st.page_link(to_streamlit_page(page), label=label or PAGE_ENTRIES[page].title, query_params=location.to_query())
