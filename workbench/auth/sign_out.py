"""Sign-out, and the page after it."""

from __future__ import annotations

from html import escape

import streamlit as st

from engine import access
from workbench.auth import current_user, session_store
from workbench.auth.middleware import build_sign_in_address
from workbench.core import formatting, session
from workbench.theme.css import BUTTON_LINK_KEY


def show_signed_out(sentence: str) -> None:
    """Show that the session has ended, with a sign-in link that leads back to this page."""
    st.title("Signed out", anchor=False)
    st.markdown("You have signed out." if session.SIGNED_OUT.get() else formatting.escape_markdown(sentence))
    query = "&".join(f"{name}={value}" for name, value in st.query_params.to_dict().items())
    path = st.context.url or "/"
    here = "/" + path.split("/", 3)[-1].partition("?")[0] + (f"?{query}" if query else "")
    with st.container(key=f"{BUTTON_LINK_KEY}-sign-in", width="content"):
        st.html(f'<a href="{escape(build_sign_in_address(here))}" target="_self">Sign in</a>')


def sign_out() -> None:
    """End the session of this user on the server, and record it."""
    user_session = current_user.require_session()
    access.sign_out(session.get_data(), user_session)
    session_store.remove_session(session.get_data(), current_user.get_session_token())
    session.SIGNED_OUT.set(True)
    # Otherwise the provider's cookie would remain in the browser.
    if user_session.person.how == "oidc":
        st.logout()
    st.rerun()
