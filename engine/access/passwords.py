"""Passwords and their Argon2id hashes; the only place that knows the library."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.errors import AccessError


def hash_password(password: str, min_length: int) -> str:
    """The hash to keep of a new password.

    Raises:
        AccessError: it is shorter than `min_length` characters.
    """
    if len(password) < min_length:
        raise AccessError(f"A password has at least {min_length} characters.")
    return PasswordHasher().hash(password)


def matches_hash(password: str, stored_hash: str | None) -> bool:
    """Whether a password is the one whose hash was kept; takes as long when nothing was kept."""
    try:
        return PasswordHasher().verify(stored_hash or _make_dummy_hash(), password) and stored_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _make_dummy_hash() -> str:
    return PasswordHasher().hash("the password of nobody at all")
