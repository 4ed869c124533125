"""The user of this browser session, with current roles."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from engine import access
from engine.access import Person, ProviderLogin, Session
from engine.errors import AccessError
from workbench.auth import middleware, oidc, session_store
from workbench.core.session import get_data


def require_person(*, keep_alive: bool = True) -> Person:
    """Return the signed-in user. Pages pass this person to the engine with every action.

    Args:
        keep_alive: True if the user did something. A fragment that refreshes itself passes False; otherwise no session
            would ever time out.

    Raises:
        AccessError: no user is signed in, or the session has ended.
    """
    return middleware.person_from_token(get_data(), get_session_token(), keep_alive=keep_alive)


def rerun_if_signed_out() -> None:
    """Rerun the whole page if the session has ended; for fragments that refresh themselves."""
    try:
        require_person(keep_alive=False)
    except AccessError:
        st.rerun()


def require_session() -> Session:
    """Return the session of the signed-in user, for actions that need a credential (see `engine.access.confirm`).

    Raises:
        AccessError: no user is signed in, or the session has ended.
    """
    if access.read_people(get_data()).accounts:
        return session_store.find(get_data(), get_session_token())
    now = datetime.now(UTC)
    return Session(access.get_single_user(get_data()), now, now)


def store_session(changed_session: Session) -> None:
    """Store the session that `engine.access.confirm` has returned."""
    if changed_session.person.how != "single-user":
        session_store.replace(get_data(), get_session_token() or "", changed_session)


def find_provider_login() -> ProviderLogin | None:
    """Return the login of an OpenID provider; None for accounts and the single user."""
    proven_claims = oidc.read_claims(st.context.cookies)
    return proven_claims[0].login if proven_claims else None


def get_session_token() -> str | None:
    """Return the session token in the cookie of the browser, None if there is none."""
    return st.context.cookies.get(middleware.SESSION_COOKIE)
