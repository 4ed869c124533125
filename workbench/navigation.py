"""The script of every session: who is there, page settings, and the navigation between the pages."""

from __future__ import annotations

import streamlit as st

from engine.access import Person
from engine.errors import AccessError
from workbench import leaving, session
from workbench.links import Page

_LISTED = (
    (Page.HOME, "home.py", "Home", ":material/home:"),
    (Page.DETECT, "detect.py", "Detect", ":material/center_focus_strong:"),
    (Page.REVIEW, "review.py", "Review", ":material/fact_check:"),
    (Page.ANALYSE, "analyse.py", "Analyse", ":material/query_stats:"),
    (Page.SIGN_OFF, "signoff.py", "Sign off", ":material/approval:"),
    (Page.LIVE, "live.py", "Live", ":material/sensors:"),
)


def main() -> None:
    """Show the page that the address names to whoever is signed in."""
    st.set_page_config(page_title="Veil", page_icon=":material/visibility_off:", layout="wide")
    try:
        person = session.person()
    except AccessError as error:
        leaving.farewell(str(error))
        st.stop()
    pages = [
        st.Page(session.PAGES / file, title=title, icon=icon, url_path=page.value, default=page is Page.HOME)
        for page, file, title, icon in _LISTED
        if (session.PAGES / file).is_file()
    ]
    chosen = st.navigation(pages)
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
