"""Sign-in by an OpenID provider. Streamlit talks to the provider and keeps the result in a cookie.

This is the one place that knows how Streamlit keeps it; the cookie is signed with the server's secret and holds the
claims of an ID token whose signature was checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from streamlit.auth_util import get_cookie_with_chunks, get_secrets_auth_section
from streamlit.user_info import generate_login_redirect_url
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from engine.access import ProviderLogin
from engine.core.json_decoder import decode_json

_COOKIE = "_streamlit_user"


class Claims(msgspec.Struct, frozen=True):
    """The claims that Veil uses; a provider may send others."""

    iss: str
    sub: str
    iat: Annotated[int, msgspec.Meta(ge=0)]
    origin: str
    is_logged_in: bool
    auth_time: int | None = None
    email: str | None = None
    email_verified: bool = False

    @property
    def issued_at(self) -> datetime:
        """Return the time at which the provider issued the token."""
        return datetime.fromtimestamp(self.iat, UTC)

    @property
    def login(self) -> ProviderLogin:
        """Convert the claims to the type of the engine."""
        at = datetime.fromtimestamp(self.auth_time or self.iat, UTC)
        return ProviderLogin(self.iss, self.sub, at, self.email, self.email_verified)


def list_providers() -> dict[str, str]:
    """Return the sign-in address of each configured provider by name."""
    section = get_secrets_auth_section().to_dict()
    # The secrets hold one provider directly, several as tables by name, or both. client_kwargs is a table of options.
    named = [name for name, value in section.items() if isinstance(value, dict) and name != "client_kwargs"]
    default = ["default"] if "client_id" in section else []
    return {name: generate_login_redirect_url(name) for name in (*default, *named)}


def read_claims(cookies: Mapping[str, str]) -> tuple[Claims, bytes] | None:
    """Return the claims in the cookies and the bytes that prove them; None if there are no valid claims."""
    if not get_secrets_auth_section():
        return None
    payload = get_cookie_with_chunks(lambda name: _decode_cookie(cookies.get(name), name), _COOKIE)
    if payload is None:
        return None
    try:
        claims = decode_json(payload, type=Claims)
    except msgspec.MsgspecError:
        return None
    return (claims, payload) if claims.is_logged_in else None


def _decode_cookie(value: str | None, name: str) -> bytes | None:
    return None if value is None else decode_signed_value(get_cookie_secret(), name, value.encode("latin-1"))
