"""The lock of the folder of accounts: one process changes its files at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from engine.errors import AccessError
from engine.storage.data_folder import DataFolder
from engine.storage.files import mkdir_private
from engine.storage.locks import lock_file


@contextmanager
def lock_access_folder(data: DataFolder) -> Iterator[None]:
    """Hold the lock of the folder of accounts while the block lasts.

    Raises:
        AccessError: The folder cannot be created or written.
    """
    with ExitStack() as stack:
        try:
            # For the owner alone from the start: the folder holds hashes of passwords, sessions and the signing key.
            mkdir_private(data.access)
            stack.enter_context(lock_file(data.access_lock))
        except OSError as error:
            raise AccessError(
                f"{data.access} cannot be written ({error.strerror}), so no account can sign in. Give the user that "
                "runs Veil write permission for that folder."
            ) from error
        yield
