"""Middleware that checks the session of every request.

Without accounts, only requests from this machine are answered, for its single user. With accounts, pages, their
WebSocket, pictures, uploads and all API routes need a session. Only the sign-in and the scripts and styles of Streamlit
are open.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import anyio
import anyio.to_thread
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from engine import access
from engine.access import Person, SecondFactorRequiredError, Session
from engine.access.listen_address import is_loopback
from engine.errors import AccessError
from engine.storage.data_folder import DataFolder, find_data_folder
from workbench.auth import oidc, request_origin, session_store

SESSION_COOKIE = "veil_session"
SIGN_IN_PATH = "/api/signin"
SECOND_FACTOR_PATH = "/api/second-factor"
_OPEN_PATHS = (
    "/static/",
    "/_stcore/health",
    "/_stcore/host-config",
    "/auth/",
    "/oauth2callback",
    "/favicon",
    SIGN_IN_PATH,
)
# Scripts and programs ask for these. A redirect would give them the page of the sign-in in place of data.
_NO_REDIRECT_PATHS = ("/api/", "/_stcore/", "/media/", "/component/", "/app/static/")
# The provider's cookie can outlive a session of Veil. Old claims would sign a person in again after a timeout.
_MAX_CLAIMS_AGE = timedelta(minutes=5)
"""Greatest age of a provider's claims that can start a session."""
_MAX_CONCURRENT_CHECKS = 8


def person_from_request(request: HTTPConnection) -> Person:
    """Return the user who sends a request. Each route handler calls this and then `engine.access.require_permission`.

    Raises:
        AccessError: the request has no valid session.
    """
    return person_from_token(find_data_folder(), request.cookies.get(SESSION_COOKIE))


def person_from_token(data: DataFolder, token: str | None, *, keep_alive: bool = True) -> Person:
    """Return the user of a token; the single user if there are no accounts.

    Raises:
        AccessError: the token has no valid session.
    """
    if not access.read_people(data).accounts:
        return access.get_single_user(data)
    return session_store.find(data, token, keep_alive=keep_alive).person


def set_session_cookie(response: Response, token: str, *, secure: bool) -> None:
    """Set the session cookie so that scripts cannot read it.

    SameSite is "lax", because "strict" would send every shared link to the sign-in and make the return from a provider
    loop. Requests that change something check their origin instead.
    """
    response.set_cookie(SESSION_COOKIE, token, path="/", httponly=True, samesite="lax", secure=secure)


def start_browser_session(data: DataFolder, request: HTTPConnection, session: Session, address: str) -> Response:
    """Store a new session of this browser and redirect to an address of this server.

    The old session ends and the token changes, so a token planted before the sign-in is worth nothing.
    """
    session_store.remove_session(data, request.cookies.get(SESSION_COOKIE))
    response = RedirectResponse(address, status_code=303)
    set_session_cookie(response, session_store.add_session(data, session), secure=request.url.scheme == "https")
    return response


class AuthMiddleware:
    """Middleware that refuses requests without a session, or redirects them to the sign-in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._limiter: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer it."""
        answer = await self._check(HTTPConnection(scope)) if scope["type"] in {"http", "websocket"} else None
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # A WebSocket cannot be redirected. 1008 is the close code for a violated policy (RFC 6455).
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer(scope, receive, send)

    async def _check(self, request: HTTPConnection) -> Response | None:
        origin_error = request_origin.find_origin_error(request)
        # The sign-in refuses a foreign origin with its own page.
        if origin_error and not (request.url.path == SIGN_IN_PATH and request.scope["type"] == "http"):
            return _build_refusal(origin_error)
        # Limiters belong to the event loop that runs when they are made. This one is not shared with the routes: slow
        # work of theirs must not delay the check of a request for something else.
        self._limiter = self._limiter or anyio.CapacityLimiter(_MAX_CONCURRENT_CHECKS)
        # On a thread: the check reads files, and the event loop serves every page.
        return await anyio.to_thread.run_sync(_check_request, request, limiter=self._limiter)


def _check_request(request: HTTPConnection) -> Response | None:
    """Return the answer that replaces the requested one; None passes the request on."""
    data, path = find_data_folder(), request.url.path
    try:
        # The accounts are read at every request: from the first account on, every request needs a session.
        if not access.read_people(data).accounts:
            return (
                None
                if _is_from_this_machine(request)
                else _build_refusal(
                    "Without accounts, Veil only answers requests from its own machine. Add one with `veil users add`."
                )
            )
        if path.startswith(_OPEN_PATHS):
            _record_provider_failure(data, path, request.query_params)
            return None
        # The page of the second factor is the one that a session may use that lacks the one which the policy asks for.
        session_store.find(data, request.cookies.get(SESSION_COOKIE), sets_up_second_factor=path == SECOND_FACTOR_PATH)
    except AccessError as error:
        return _answer_without_session(data, request, error)
    return None


def _answer_without_session(data: DataFolder, request: HTTPConnection, error: AccessError) -> Response:
    """Redirect a person to the page that helps, and refuse a program."""
    path, address = request.url.path, _requested_address(request)
    is_program = path.startswith(_NO_REDIRECT_PATHS) and path != SECOND_FACTOR_PATH
    if is_program or request.scope["type"] == "websocket":
        return _build_refusal(str(error))
    if isinstance(error, SecondFactorRequiredError):
        return RedirectResponse(f"{SECOND_FACTOR_PATH}?next={quote(address, safe='')}", status_code=303)
    return _sign_in_by_provider(data, request) or RedirectResponse(build_sign_in_address(address), status_code=303)


def build_sign_in_address(next_address: str = "/", reason_code: str | None = None) -> str:
    """Return the address of the sign-in, which then redirects to `next_address`."""
    reason = f"&why={quote(reason_code)}" if reason_code else ""
    return f"{SIGN_IN_PATH}?next={quote(next_address, safe='')}{reason}"


def _sign_in_by_provider(data: DataFolder, request: HTTPConnection) -> Response | None:
    """Start a session from fresh claims of a provider."""
    proven_claims = oidc.read_claims(request.cookies)
    if proven_claims is None or abs(datetime.now(UTC) - proven_claims[0].issued_at) > _MAX_CLAIMS_AGE:
        return None
    claims, proof = proven_claims
    # Each proof starts one session only, so a copied cookie of the provider cannot start another.
    if not session_store.use_proof_once(data, proof):
        return None
    try:
        session = access.sign_in_by_provider(data, claims.login)
    except AccessError:
        return RedirectResponse(build_sign_in_address(_requested_address(request), "stranger"), status_code=303)
    response = RedirectResponse(_requested_address(request), status_code=303)
    set_session_cookie(response, session_store.add_session(data, session), secure=request.url.scheme == "https")
    return response


def _record_provider_failure(data: DataFolder, path: str, parameters: Mapping[str, str]) -> None:
    """Log that the provider refused a sign-in."""
    # Without a provider there is nothing that could refuse, only a visitor who fills the log.
    if path.startswith("/oauth2callback") and "error" in parameters and oidc.list_providers():
        access.record_provider_refusal(data)


def _is_from_this_machine(request: HTTPConnection) -> bool:
    """Return True if a request comes from this machine and names it as host.

    The host is checked because a foreign website can point its own name at this address (DNS rebinding).
    """
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    return request.client is not None and is_loopback(request.client.host) and is_loopback(host)


def _requested_address(request: HTTPConnection) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _build_refusal(sentence: str) -> Response:
    return PlainTextResponse(sentence, status_code=403, headers={"Cache-Control": "no-store"})
