"""The table of pages, and links between them."""

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
    """A page in the navigation.

    Attributes:
        file: script of the page.
        title: title in the navigation.
        icon: icon in the navigation.
        required_action: permission without which the page is of no use, None if everyone can use it.
    """

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
    Page.POLICY: PageEntry(_PAGES_FOLDER / "policy.py", "Policy", ":material/policy:", "settings"),
})  # fmt: skip


def list_existing_pages() -> list[Page]:
    """List the pages whose script exists, in the order of the navigation."""
    return [page for page, listed in PAGE_ENTRIES.items() if listed.file.is_file()]


def can_use_page(page: Page, person: Person) -> bool:
    """Return True if the page is of use to a person. The engine checks each action again."""
    action = PAGE_ENTRIES[page].required_action
    return action is None or is_allowed(person, action)


def to_streamlit_page(page: Page, *, hidden: bool = False) -> StreamlitPage:
    """Return a page for Streamlit; a hidden page has an address but is not in the navigation."""
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
    """Show a link to a page; nothing if that page does not exist.

    Args:
        page: the page.
        label: text of the link; None: the title of the page.
        location: run, frame and track to open.
        as_button: make the link look like a button, for the most likely next step.
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
