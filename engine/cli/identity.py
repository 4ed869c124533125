"""The person who runs a verb: account, password, session."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from datetime import UTC, datetime

from engine import access
from engine.access import Credential, Password, Person, Session
from engine.errors import AccessError
from engine.storage.data_folder import DataFolder


def open_session(data: DataFolder, options: Namespace) -> tuple[Session, Credential | None]:
    """Open a session for the account of `--as`, or for the single user of a data folder without accounts.

    Returns:
        The session, and the credential for a signature: account and password, since each command is a session of its
        own. None for the single user.

    Raises:
        AccessError: accounts exist and none was named, or the password is wrong.
    """
    if options.acting_account is None:
        now = datetime.now(UTC).astimezone()
        return Session(access.get_single_user(data), now, now), None
    # Passwords are never arguments, which other users of the machine can read in the list of processes.
    password = read_password(f"Password of {options.acting_account}: ")
    return access.sign_in(data, options.acting_account, password), Password(password, options.acting_account)


def identify_person(data: DataFolder, options: Namespace) -> Person:
    """Return the person of `open_session`.

    Raises:
        AccessError: accounts exist and none was named, or the password is wrong.
    """
    return open_session(data, options)[0].person


def read_password(prompt: str) -> str:
    """Read a password without an echo from a terminal, else from the next line of standard input.

    Raises:
        AccessError: the password is empty.
    """
    typed = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not typed:
        raise AccessError("No password was given; type it, or pipe it to standard input on a line of its own.")
    return typed
