"""Number of failed sign-ins in a row by account, and the lock of the folder of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from engine.access.folder_lock import lock_access_folder
from engine.access.policy import Policy
from engine.core.json_decoder import decode_json
from engine.errors import AccessError
from engine.record import Document, Timestamp, encode_document
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file


class LockedError(AccessError):
    """The account is locked after too many wrong passwords."""


class FailedAttempts(Document, frozen=True):
    """Sign-in attempts of one account since the last correct password.

    Attributes:
        count: Number of attempts.
        last: Time of the last attempt.
    """

    count: int
    last: Timestamp


class FailedAttemptTable(Document, frozen=True):
    """The attempts of every account that has any, by name."""

    accounts: Mapping[str, FailedAttempts] = {}


def count_attempt(data: DataFolder, policy: Policy, account: str, now: datetime) -> int:
    """Count a sign-in attempt, before its password is checked.

    Args:
        data: The data folder.
        policy: The policy, which says how many attempts lock an account.
        account: Name of the account.
        now: The time.

    Returns:
        Number of attempts in a row, this one included.

    Raises:
        LockedError: The account is locked.
        AccessError: The count cannot be read or written.
    """
    # Counted before the check: a hundred attempts sent at once would otherwise all be checked before the first counts.
    with lock_access_folder(data):
        table = _read_attempts(data)
        attempts = table.accounts.get(account)
        if attempts and attempts.count >= policy.failures:
            locked_until = attempts.last + policy.lock_duration
            if now < locked_until:
                raise LockedError(
                    f"The account {account} is locked after {attempts.count} wrong passwords, until "
                    f"{locked_until.astimezone():%H:%M:%S %Z}."
                )
            # The lock has expired, and the person has all attempts again; otherwise the next typing error would lock
            # the account once more.
            attempts = None
        count = 1 + (attempts.count if attempts else 0)
        _write_attempts(data, {**table.accounts, account: FailedAttempts(count, now)})
    return count


def clear_attempts(data: DataFolder, account: str) -> None:
    """Reset the count of an account, after a correct or a new password."""
    with lock_access_folder(data):
        accounts = _read_attempts(data).accounts
        _write_attempts(data, {name: attempts for name, attempts in accounts.items() if name != account})


def _read_attempts(data: DataFolder) -> FailedAttemptTable:
    path = data.failed_attempts
    try:
        return decode_json(path.read_bytes(), type=FailedAttemptTable)
    except FileNotFoundError:
        return FailedAttemptTable()
    except (OSError, msgspec.MsgspecError) as error:
        # Not taken for an empty table: a damaged file would give every locked account new attempts.
        raise AccessError(f"{path} cannot be read ({error}). Find out why, then remove it.") from error


def _write_attempts(data: DataFolder, accounts: Mapping[str, FailedAttempts]) -> None:
    write_file(data.failed_attempts, encode_document(FailedAttemptTable(accounts)))
