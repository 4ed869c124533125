"""Security headers of every answer: what a page may load, who may show it in a frame, what the browser may tell others.

The rules are as strict as Streamlit works under. Everything comes from this server, so words of other people cannot
make a page load a picture from elsewhere, and no foreign page can frame a button that signs something.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.server import analyse_preload

_COMPONENT_PATHS = ("/component/", "/_stcore/bidi-components/")
"""Paths of Streamlit's components. The pages show some of them in frames."""
_FILE_PATHS = ("/api/", "/media/")
_INLINE_SCRIPT_PATTERN = re.compile(r"<script(?:\s+type=\"module\")?>(.*?)</script>", re.DOTALL)
_FILE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""For files and data. A document of a release may be one that somebody changed, so it runs no scripts."""


class SecurityHeadersMiddleware:
    """Middleware that adds the headers. A header that a route has set itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and complete its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in build_headers(scope["path"]).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_completed)


@lru_cache(maxsize=64)
def build_headers(path: str) -> dict[str, str]:
    """Return the headers of an answer by the path of its request."""
    is_framed = path.startswith(_COMPONENT_PATHS)
    headers = {
        "Content-Security-Policy": _FILE_POLICY
        if path.startswith(_FILE_PATHS)
        else _build_page_policy(framed=is_framed),
        "X-Content-Type-Options": "nosniff",
        # Not "no-referrer": browsers would then send "null" as the origin of forms.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    # For browsers that do not know frame-ancestors.
    return {**headers, "X-Frame-Options": "SAMEORIGIN" if is_framed else "DENY"}


def _build_page_policy(*, framed: bool) -> str:
    """Build the policy of a page, or of a component that a page shows in a frame."""
    # Streamlit starts the scripts of own components from blob addresses, and writes its styles into the page.
    scripts = " ".join(["'self'", "blob:", "'wasm-unsafe-eval'", *_hash_inline_scripts()])
    rules = {
        "default-src": "'self'",
        "script-src": scripts,
        "style-src": "'self' 'unsafe-inline' blob:",
        "img-src": "'self' data: blob:",
        "media-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'" if framed else "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@lru_cache(maxsize=1)
def _hash_inline_scripts() -> tuple[str, ...]:
    """Hash the scripts in the pages themselves: those of Streamlit, and the one that starts the charts of Analyse."""
    scripts = _INLINE_SCRIPT_PATTERN.findall(analyse_preload.build_page())
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return tuple(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
