"""Who uses this browser session, with the roles of now."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from engine import access
from engine.access import Person, ProviderLogin, Session
from engine.errors import AccessError
from workbench.auth import middleware, oidc, session_store
from workbench.core.session import get_data


def require_person(*, keep_alive: bool = True) -> Person:
    """Who is at work, with the roles of now. Whatever a page does is asked of the engine in this person's name.

    Args:
        keep_alive: whether this is something that the person does; a fragment that refreshes itself says no, or
            nobody's
            session would ever end.

    Raises:
        AccessError: nobody, or their session has ended.
    """
    return middleware.person_from_token(get_data(), get_session_token(), keep_alive=keep_alive)


def rerun_if_signed_out() -> None:
    """In a fragment that refreshes itself: show the whole page anew when the session has ended."""
    try:
        require_person(keep_alive=False)
    except AccessError:
        st.rerun()


def require_session() -> Session:
    """The session of who is at work, for what asks for a credential (see `engine.access.confirm`).

    Raises:
        AccessError: nobody, or their session has ended.
    """
    if access.read_people(get_data()).accounts:
        return session_store.find(get_data(), get_session_token())
    now = datetime.now(UTC)
    return Session(access.get_single_user(get_data()), now, now)


def store_session(changed_session: Session) -> None:
    """Keep what `engine.access.confirm` has returned."""
    if changed_session.person.how != "single-user":
        session_store.replace(get_data(), get_session_token() or "", changed_session)


def find_provider_login() -> ProviderLogin | None:
    """What an OpenID provider has said of who is at work; None for other people."""
    found = oidc.read_claims(st.context.cookies)
    return found[0].login if found else None


def get_session_token() -> str | None:
    """What the browser shows for a session; None where there is none."""
    return st.context.cookies.get(middleware.SESSION_COOKIE)
