"""Limits of the bodies of requests, so that no visitor can fill the server's memory."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.auth.middleware import SECOND_FACTOR_PATH, SIGN_IN_PATH

_UPLOAD_PATH = "/_stcore/upload_file/"
"""Streamlit limits uploads itself (`server.maxUploadSize`), also while they arrive, and only takes them from a session
that is open."""
_MAX_BYTES_BY_PATH: Mapping[str, int] = {
    SIGN_IN_PATH: 4 << 10,
    SECOND_FACTOR_PATH: 4 << 10,
    "/api/": 1 << 20,
    "/": 64 << 10,
}
"""Most bytes of a body by the start of the path; the first that fits counts."""


class BodyLimitMiddleware:
    """Middleware that refuses bodies over the limit of their path, before and while they arrive."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] != "http" or scope["path"].startswith(_UPLOAD_PATH):
            await self._app(scope, receive, send)
            return
        limit = next(size for path, size in _MAX_BYTES_BY_PATH.items() if scope["path"].startswith(path))
        if not _is_within(Headers(scope=scope).get("content-length", "0"), limit):
            # Closing the connection keeps the client from sending the body all the same.
            answer = PlainTextResponse(_describe(limit), 413, headers={"Connection": "close"})
            await answer(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, _describe(limit), headers={"Connection": "close"})
            return message

        try:
            await self._app(scope, receive_limited, send)
        except ClientDisconnect:
            # There is nobody to answer, and no fault to report: a visitor could fill the log with such requests.
            return


def _is_within(length: str, limit: int) -> bool:
    # A length that is no number is the server's to refuse.
    return not (length.isascii() and length.isdecimal()) or int(length[:20]) <= limit


def _describe(limit: int) -> str:
    return f"The body of the request is longer than {limit} bytes."
