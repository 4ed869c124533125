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


def open_session(
    data: DataFolder, options: Namespace, *, sets_up_second_factor: bool = False
) -> tuple[Session, Credential | None]:
    """Open a session for the account of `--as`, or for the single user of a data folder without accounts.

    Args:
        data: the data folder.
        options: the options of the command.
        sets_up_second_factor: whether the command sets up the second factor that the policy asks for.

    Returns:
        The session, and the credential for a signature: account and password, since each command is a session of its
        own. None for the single user.

    Raises:
        AccessError: accounts exist and none was named, or the password or the code is wrong.
    """
    if options.acting_account is None:
        now = datetime.now(UTC).astimezone()
        return Session(access.get_single_user(data), now, now), None
    # Passwords are never arguments, which other users of the machine can read in the list of processes.
    name = options.acting_account
    password, code = read_password(f"Password of {name}: "), None
    account = access.read_people(data).find_account(name)
    if account is not None and account.second_factor is not None:
        code = read_code(f"Code of the second factor of {name}: ")
    session = access.sign_in(
        data, name, password, code, sets_up_second_factor=sets_up_second_factor, is_one_command=True
    )
    return session, Password(password, name, code)


def identify_person(data: DataFolder, options: Namespace) -> Person:
    """Return the person of `open_session`.

    Raises:
        AccessError: accounts exist and none was named, or the password is wrong.
    """
    return open_session(data, options)[0].person


def read_code(prompt: str) -> str:
    """Read a code of a second factor from a terminal, else from the next line of standard input."""
    if sys.stdin.isatty():
        sys.stderr.write(prompt)
        sys.stderr.flush()
    return sys.stdin.readline().strip()


def read_password(prompt: str) -> str:
    """Read a password without an echo from a terminal, else from the next line of standard input.

    Raises:
        AccessError: the password is empty.
    """
    typed = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not typed:
        raise AccessError("No password was given; type it, or pipe it to standard input on a line of its own.")
    return typed
