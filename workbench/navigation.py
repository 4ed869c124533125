"""The script of every session: who is there, page settings, and the navigation between the pages."""

from __future__ import annotations

import streamlit as st

from engine.access import Person
from engine.errors import AccessError
from workbench.auth import current_user, sign_out
from workbench.core.page_table import existing, open_to, page_of
from workbench.theme import css

_SIDEBAR = 220
"""Pixels; the pages need the others."""


def main() -> None:
    """Show the page that the address names to whoever is signed in."""
    st.set_page_config(page_title="Veil", page_icon=css.SIGN, layout="wide", initial_sidebar_state=_SIDEBAR)
    st.html(css.STYLE)
    try:
        person = current_user.person()
    except AccessError as error:
        st.navigation([page_of(page) for page in existing()], position="hidden")
        sign_out.farewell(str(error))
        st.stop()
    chosen = st.navigation([page_of(page, hidden=not open_to(page, person)) for page in existing()])
    st.set_page_config(page_title=f"{chosen.title} · Veil")
    st.logo(css.NAME, size="large")
    with st.sidebar:
        _who(person)
    chosen.run()


def _who(person: Person) -> None:
    """Who is at work, with a way out."""
    if person.how == "single-user":
        st.caption(f"{person.name}, single user: nobody signs in, and every record says so.")
        return
    st.caption(f"**{person.name}**  \n{', '.join(person.roles)}")
    if st.button("Sign out", icon=":material/logout:"):
        sign_out.sign_out()


main()
