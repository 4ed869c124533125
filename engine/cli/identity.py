"""Who runs a verb: account, password, session."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from datetime import UTC, datetime

from engine import access
from engine.access import Credential, Password, Session
from engine.errors import AccessError
from engine.storage.data_folder import DataFolder


def open_session(data: DataFolder, options: Namespace) -> tuple[Session, Credential | None]:
    """The session of whoever types, and their credential: both components, as every call is a session of its own.

    Raises:
        AccessError: there are accounts and none was named, or the password is wrong.
    """
    if options.who is None:
        now = datetime.now(UTC).astimezone()
        return Session(access.get_single_user(data), now, now), None
    password = read_password(f"Password of {options.who}: ")
    return access.sign_in(data, options.who, password), Password(password, options.who)


def read_password(prompt: str) -> str:
    """A password, typed without an echo at a terminal, else the next line of standard input.

    Raises:
        AccessError: there is none.
    """
    typed = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not typed:
        raise AccessError("No password was given; type it, or pipe it in as a line of its own.")
    return typed
