"""Change the file of accounts: one writer at a time, and every change logged."""

from __future__ import annotations

from collections.abc import Callable

from engine import audit
from engine.access.folder_lock import lock_access_folder
from engine.access.logged_file import people_file
from engine.access.people import People, Person, read_people
from engine.record import encode_document, sha256_hex
from engine.storage.data_folder import DataFolder


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
    with lock_access_folder(data):
        file = people_file(data)
        file.recover()
        # Read under the lock, so that no change of another administrator is overwritten.
        stored = encode_document(edit(read_people(data)))
        # Logged while the lock is held: the newest entry must be of the newest file, because the sign-off refuses
        # accounts with another hash than that entry has.
        event = audit.Event(
            actor=by.actor, kind="people", subjects={"people": sha256_hex(stored)}, details={"change": description}
        )
        file.replace(stored, event)
