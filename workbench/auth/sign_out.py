"""How a session ends, and what is shown when it has."""

from __future__ import annotations

from html import escape

import streamlit as st

from engine import access
from workbench.auth import current_user, session_store
from workbench.auth.middleware import sign_in_address
from workbench.core import formatting, session
from workbench.theme.css import FIRST


def farewell(sentence: str) -> None:
    """Say that the session is over, with the way to a new one, which comes back to this page."""
    st.title("Signed out", anchor=False)
    st.markdown("You have signed out." if session.LEFT.get() else formatting.plain(sentence))
    query = "&".join(f"{name}={value}" for name, value in st.query_params.to_dict().items())
    path = st.context.url or "/"
    here = "/" + path.split("/", 3)[-1].partition("?")[0] + (f"?{query}" if query else "")
    with st.container(key=f"{FIRST}-sign-in", width="content"):
        st.html(f'<a href="{escape(sign_in_address(here))}" target="_self">Sign in</a>')


def sign_out() -> None:
    """End the session of who is at work, on the server and on record."""
    sitting = current_user.sitting()
    access.sign_out(session.data(), sitting)
    session_store.forget(session.data(), current_user.token())
    session.LEFT.set(True)
    if sitting.person.how == "oidc":
        st.logout()
    st.rerun()
