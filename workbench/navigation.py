"""The script of every session: who is there, page settings, and the navigation between the pages."""

from __future__ import annotations

import streamlit as st

from engine.access import Person
from engine.errors import AccessError
from workbench import leaving, session
from workbench.pages import existing, page_of

_LOOK = """<style>
.stMainBlockContainer { padding-top: 3.25rem; padding-bottom: 3rem; }
[data-testid="stBaseButton-primary"], [data-testid="stBaseButton-primaryFormSubmit"], [data-tag], [data-tag] * {
  color: light-dark(#ffffff, #0b1013);
}
</style>"""
"""Streamlit leaves a hand's breadth above every page, and writes white on the accent, which is light in the dark theme.
The browser chooses that colour: a script may run before it is told of the theme."""

_SIGN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
    '<ellipse cx="12" cy="12" rx="8" ry="10.5" fill="#0072b2"/><path d="M3 9h18v6H3z" fill="#1b2328"/></svg>'
)
"""In the tab of the browser: a covered face. A Material icon there would be fetched from a server of Google's."""


def main() -> None:
    """Show the page that the address names to whoever is signed in."""
    st.set_page_config(page_title="Veil", page_icon=_SIGN, layout="wide")
    st.html(_LOOK)
    try:
        person = session.person()
    except AccessError as error:
        st.navigation([page_of(page) for page in existing()], position="hidden")
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
