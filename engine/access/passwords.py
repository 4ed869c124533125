"""Argon2id hashes of passwords; the only module that knows the library."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.errors import AccessError

MAX_CONCURRENT_HASHES = 2
"""Most hashes that are computed at once in a process. Each takes 64 MB and several threads."""
_HASHES = threading.BoundedSemaphore(MAX_CONCURRENT_HASHES)


def hash_password(password: str, min_length: int) -> str:
    """Hash a new password.

    Raises:
        AccessError: The password is shorter than `min_length` characters.
    """
    if len(password) < min_length:
        raise AccessError(f"A password has at least {min_length} characters; choose a longer one.")
    with _HASHES:
        return PasswordHasher().hash(password)


def matches_hash(password: str, stored_hash: str | None) -> bool:
    """Whether a password matches a stored hash; False if there is none."""
    # Without a stored hash a dummy is verified: the answer takes as long, so its time does not reveal whether an
    # account exists.
    compared_hash = stored_hash or _make_dummy_hash()
    try:
        with _HASHES:
            return PasswordHasher().verify(compared_hash, password) and stored_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _make_dummy_hash() -> str:
    return PasswordHasher().hash("password of no account")
