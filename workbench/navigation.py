"""The script of every session: who is there, page settings, and the navigation between the pages."""

from __future__ import annotations

import streamlit as st

from engine.access import Person
from engine.errors import AccessError
from workbench.auth import current_user, sign_out
from workbench.core.page_table import can_use_page, list_existing_pages, to_streamlit_page
from workbench.theme import css

_SIDEBAR_WIDTH_PX = 220
"""Pixels; the pages need the others."""


def main() -> None:
    """Show the page that the address names to whoever is signed in."""
    st.set_page_config(
        page_title="Veil", page_icon=css.ICON_SVG, layout="wide", initial_sidebar_state=_SIDEBAR_WIDTH_PX
    )
    st.html(css.PAGE_CSS)
    try:
        person = current_user.require_person()
    except AccessError as error:
        st.navigation([to_streamlit_page(page) for page in list_existing_pages()], position="hidden")
        sign_out.show_signed_out(str(error))
        st.stop()
    chosen = st.navigation(
        [to_streamlit_page(page, hidden=not can_use_page(page, person)) for page in list_existing_pages()]
    )
    st.set_page_config(page_title=f"{chosen.title} · Veil")
    st.logo(css.LOGO_SVG, size="large")
    with st.sidebar:
        _show_person(person)
    chosen.run()


def _show_person(person: Person) -> None:
    """Who is at work, with a way out."""
    if person.how == "single-user":
        st.caption(f"{person.name}, single user: nobody signs in, and every record says so.")
        return
    st.caption(f"**{person.name}**  \n{', '.join(person.roles)}")
    if st.button("Sign out", icon=":material/logout:"):
        sign_out.sign_out()


main()
