"""Change the file of accounts: one writer at a time, and every change logged."""

from __future__ import annotations

from collections.abc import Callable

from engine import audit
from engine.access import lockout
from engine.access.people import People, Person, read_people
from engine.record import encode_document, sha256_hex
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file


def edit_people(data: DataFolder, by: Person, description: str, edit: Callable[[People], People]) -> None:
    """Replace the accounts by what `edit` makes of them, and log the change.

    Args:
        data: The data folder.
        by: The person who makes the change.
        description: The change in words, for the log.
        edit: Gets the accounts as they are, and returns them as they shall be.

    Raises:
        AccessError: The accounts cannot be read, or `edit` refuses.
        AuditError: The change cannot be logged.
    """
    with lockout.lock_access_folder(data):
        # Read under the lock, so that no change of another administrator is overwritten.
        stored = encode_document(edit(read_people(data)))
        write_file(data.people, stored)
        data.people.chmod(0o600)
        # Logged while the lock is held: the newest entry must be of the newest file, because the sign-off refuses
        # accounts with another hash than that entry has.
        audit.append(
            data.audit,
            audit.Event(
                actor=by.actor, kind="people", subjects={"people": sha256_hex(stored)}, details={"change": description}
            ),
        )
