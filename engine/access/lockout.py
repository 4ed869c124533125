"""How often a wrong password was given in a row, and the lock that everything in this folder is changed under."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime

import msgspec

from engine.access.people import Timestamp
from engine.access.policy import Policy
from engine.errors import AccessError
from engine.record import Document, encode_document
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file
from engine.storage.locks import lock_file


class FailedAttempts(Document, frozen=True):
    """Tries of one account since the last right password: how many, and when the last one was."""

    count: int
    last: Timestamp


class FailedAttemptTable(Document, frozen=True):
    """The tries of every account that has any."""

    accounts: Mapping[str, FailedAttempts] = {}


@contextmanager
def lock_access_folder(data: DataFolder) -> Iterator[None]:
    """Hold the folder of accounts for oneself.

    Raises:
        AccessError: it cannot be made or written.
    """
    with ExitStack() as stack:
        try:
            data.access.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(lock_file(data.access_lock))
        except OSError as error:
            raise AccessError(
                f"{data.access} cannot be written ({error.strerror}), so no account can sign in. Give the user that "
                "runs Veil write permission for that folder."
            ) from error
        yield


def count_attempt(data: DataFolder, policy: Policy, account: str, now: datetime) -> int:
    """Count a try before its password is looked at, so that many at once do not slip through; how many there were.

    Raises:
        AccessError: the account is locked.
    """
    with lock_access_folder(data):
        ledger = _read_attempts(data)
        tries = ledger.accounts.get(account)
        if tries and tries.count >= policy.failures:
            if now < tries.last + policy.lock_duration:
                until = (tries.last + policy.lock_duration).astimezone()
                raise AccessError(
                    f"The account {account} is locked after {tries.count} wrong passwords, until {until:%H:%M:%S %Z}."
                )
            tries = None
        count = 1 + (tries.count if tries else 0)
        _write_attempts(data, {**ledger.accounts, account: FailedAttempts(count, now)})
    return count


def clear_attempts(data: DataFolder, account: str) -> None:
    """The password was right, or is a new one: start counting anew."""
    with lock_access_folder(data):
        _write_attempts(data, {name: tries for name, tries in _read_attempts(data).accounts.items() if name != account})


def _read_attempts(data: DataFolder) -> FailedAttemptTable:
    path = data.failed_attempts
    try:
        return msgspec.json.decode(path.read_bytes(), type=FailedAttemptTable)
    except FileNotFoundError:
        return FailedAttemptTable()
    except (OSError, msgspec.MsgspecError) as error:
        raise AccessError(f"{path} cannot be read ({error}); remove it once you know why.") from error


def _write_attempts(data: DataFolder, accounts: Mapping[str, FailedAttempts]) -> None:
    write_file(data.failed_attempts, encode_document(FailedAttemptTable(accounts)))
