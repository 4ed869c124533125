"""Check which page a request comes from, before Streamlit or a route sees it.

A browser names the page's origin in the headers of every WebSocket and of every request that can change something, and
no script can fake it. Streamlit looks up the external address of the machine for an origin that it does not know, which
contacts other hosts and stops the server meanwhile; such a request must not reach it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_OWN_SITES = {"same-origin", "none"}
"""Values of `Sec-Fetch-Site` for a request of this server's own pages, and for one that a user typed or bookmarked."""


def is_same_origin(request: HTTPConnection) -> bool:
    """Return True if a request names an origin, and that origin is this server."""
    origin = request.headers.get("origin")
    # Streamlit compares in the same way, so it never sees an origin that it would look addresses up for.
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def comes_from_own_page(request: HTTPConnection) -> bool:
    """Return False if the browser says that a page of another origin made the request.

    For requests that change something although their method is GET, such as a recorded download. Programs and old
    browsers do not send the header.
    """
    return request.headers.get("sec-fetch-site", "none") in _OWN_SITES


def find_origin_error(request: HTTPConnection) -> str | None:
    """Return why the origin of a request is not accepted; None if it is."""
    origin = request.headers.get("origin")
    # The sign-in form answers a foreign origin itself, with a page for people; everything else is refused here.
    if is_same_origin(request):
        return None
    if origin is not None:
        return (
            f"The request comes from a page of {origin[:200]!r}, not of this server ({_get_host(request)!r}). Open the "
            "workbench itself. Behind a proxy, let the proxy keep the header Host."
        )
    if request.scope["type"] == "websocket" or request.scope["method"] not in _SAFE_METHODS:
        return "The request does not name the page that it comes from (header Origin). Use a browser."
    return None


def _get_host(request: HTTPConnection) -> str:
    return request.headers.get("host", "")[:200]
