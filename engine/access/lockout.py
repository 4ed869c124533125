"""How often a wrong password was given in a row, and the lock that everything in this folder is changed under."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import msgspec

from engine.access.people import Moment
from engine.access.policy import Policy
from engine.errors import AccessError
from engine.record import Document, encode
from engine.storage.files import Data, write


class Tries(Document, frozen=True):
    """Tries of one account since the last right password: how many, and when the last one was."""

    count: int
    last: Moment


class Ledger(Document, frozen=True):
    """The tries of every account that has any."""

    accounts: Mapping[str, Tries] = {}


@contextmanager
def locked(data: Data) -> Iterator[None]:
    """Hold the folder of accounts for oneself.

    Raises:
        AccessError: it cannot be made or written.
    """
    try:
        data.access.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data.access / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise AccessError(f"{data.access} cannot be written ({error.strerror}); nobody can sign in.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def begin(data: Data, policy: Policy, account: str, now: datetime) -> int:
    """Count a try before its password is looked at, so that many at once do not slip through; how many there were.

    Raises:
        AccessError: the account is locked.
    """
    with locked(data):
        ledger = _read(data)
        tries = ledger.accounts.get(account)
        if tries and tries.count >= policy.failures:
            if now < tries.last + policy.lock:
                until = (tries.last + policy.lock).astimezone()
                raise AccessError(
                    f"The account {account} is locked after {tries.count} wrong passwords, until {until:%H:%M:%S %Z}."
                )
            tries = None
        count = 1 + (tries.count if tries else 0)
        _write(data, {**ledger.accounts, account: Tries(count, now)})
    return count


def forget(data: Data, account: str) -> None:
    """The password was right, or is a new one: start counting anew."""
    with locked(data):
        _write(data, {name: tries for name, tries in _read(data).accounts.items() if name != account})


def _read(data: Data) -> Ledger:
    path = data.access / "tries.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ledger)
    except FileNotFoundError:
        return Ledger()
    except (OSError, msgspec.MsgspecError) as error:
        raise AccessError(f"{path} cannot be read ({error}); remove it once you know why.") from error


def _write(data: Data, accounts: Mapping[str, Tries]) -> None:
    write(data.access / "tries.json", encode(Ledger(accounts)))
