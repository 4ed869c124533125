"""Who uses this browser session, with the roles of now."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from engine import access
from engine.access import Login, Person, Session
from engine.errors import AccessError
from workbench.auth import middleware, oidc, session_store
from workbench.core.session import data


def person(*, used: bool = True) -> Person:
    """Who is at work, with the roles of now. Whatever a page does is asked of the engine in this person's name.

    Args:
        used: whether this is something that the person does; a fragment that refreshes itself says no, or nobody's
            session would ever end.

    Raises:
        AccessError: nobody, or their session has ended.
    """
    return middleware.person_by(data(), token(), used=used)


def still_there() -> None:
    """In a fragment that refreshes itself: show the whole page anew when the session has ended."""
    try:
        person(used=False)
    except AccessError:
        st.rerun()


def sitting() -> Session:
    """The session of who is at work, for what asks for a credential (see `engine.access.confirm`).

    Raises:
        AccessError: nobody, or their session has ended.
    """
    if access.read_people(data()).accounts:
        return session_store.find(data(), token())
    now = datetime.now(UTC)
    return Session(access.single_user(data()), now, now)


def keep_sitting(changed: Session) -> None:
    """Keep what `engine.access.confirm` has returned."""
    if changed.person.how != "single-user":
        session_store.replace(data(), token() or "", changed)


def provider_login() -> Login | None:
    """What an OpenID provider has said of who is at work; None for other people."""
    found = oidc.claims(st.context.cookies)
    return found[0].login if found else None


def token() -> str | None:
    """What the browser shows for a session; None where there is none."""
    return st.context.cookies.get(middleware.COOKIE)
