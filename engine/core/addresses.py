"""Addresses of sources and outputs."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def strip_credentials(address: str) -> str:
    """Return an address without names, passwords and tokens, for messages and records."""
    if "://" not in address:
        return address
    parts = urlsplit(address)
    # Passwords are before the host, tokens usually in the query or fragment.
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
