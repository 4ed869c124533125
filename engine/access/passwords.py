"""Passwords and their Argon2id hashes; the only place that knows the library."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.errors import AccessError


def hashed(password: str, least: int) -> str:
    """The hash to keep of a new password.

    Raises:
        AccessError: it is shorter than `least` characters.
    """
    if len(password) < least:
        raise AccessError(f"A password has at least {least} characters.")
    return PasswordHasher().hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether a password is the one whose hash was kept; takes as long when nothing was kept."""
    try:
        return PasswordHasher().verify(kept or _nobodys(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return PasswordHasher().hash("the password of nobody at all")
