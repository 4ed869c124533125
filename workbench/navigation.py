"""The script of every session: who is there, page settings, and the navigation between the pages."""

from __future__ import annotations

import streamlit as st

from engine.access import Person
from engine.errors import AccessError
from workbench import leaving, session
from workbench.pages import existing, page_of

_DENSE = "<style>.stMainBlockContainer { padding-top: 3.25rem; padding-bottom: 3rem; }</style>"
"""Streamlit leaves a hand's breadth above every page."""


def main() -> None:
    """Show the page that the address names to whoever is signed in."""
    st.set_page_config(page_title="Veil", page_icon=":material/visibility_off:", layout="wide")
    st.html(_DENSE)
    try:
        person = session.person()
    except AccessError as error:
        leaving.farewell(str(error))
        st.stop()
    chosen = st.navigation([page_of(page) for page in existing()])
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
        leaving.sign_out()


main()
