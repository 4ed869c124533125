"""How a session ends, and what is shown when it has."""

from __future__ import annotations

from html import escape

import streamlit as st

from engine import access
from workbench import session, wording
from workbench.door import sessions
from workbench.door.gate import sign_in_address
from workbench.pages import FIRST


def farewell(sentence: str) -> None:
    """Say that the session is over, with the way to a new one, which comes back to this page."""
    st.title("Signed out", anchor=False)
    st.markdown("You have signed out." if session.LEFT.get() else wording.plain(sentence))
    query = "&".join(f"{name}={value}" for name, value in st.query_params.to_dict().items())
    path = st.context.url or "/"
    here = "/" + path.split("/", 3)[-1].partition("?")[0] + (f"?{query}" if query else "")
    with st.container(key=f"{FIRST}-sign-in", width="content"):
        st.html(f'<a href="{escape(sign_in_address(here))}" target="_self">Sign in</a>')


def sign_out() -> None:
    """End the session of who is at work, on the server and on record."""
    sitting = session.sitting()
    access.sign_out(session.data(), sitting)
    sessions.forget(session.data(), session.token())
    session.LEFT.set(True)
    if sitting.person.how == "oidc":
        st.logout()
    st.rerun()
