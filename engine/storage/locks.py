"""File locks between processes and threads: one lock file, one holder.

All of them are `flock` locks. They belong to the open file, not to the name: the kernel releases them when the last
descriptor is closed, also when the process is killed, so that a crash never leaves a lock behind.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def lock_file(path: Path) -> Iterator[int]:
    """Hold the lock of a file while the block lasts; wait until it is free.

    Args:
        path: the lock file; created if it does not exist. Its folder must exist.

    Yields:
        The descriptor that holds the lock.

    Raises:
        OSError: the file cannot be created or opened.
    """
    descriptor = _open_lock_file(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def try_lock_file(path: Path) -> Iterator[int | None]:
    """Hold the lock of a file while the block lasts, if it is free; never wait.

    Yields:
        The descriptor that holds the lock, or None if another process or thread holds it. A child process that inherits
        the descriptor holds the lock as well, until it ends.

    Raises:
        OSError: the file cannot be created or opened.
    """
    descriptor = _open_lock_file(path)
    try:
        yield descriptor if try_lock_descriptor(descriptor) else None
    finally:
        os.close(descriptor)


@contextmanager
def lock_and_remove_file(path: Path) -> Iterator[None]:
    """Hold the lock of a file while the block lasts, then remove the file.

    For locks by key, of which there would be as many files as keys otherwise.

    Raises:
        OSError: the file cannot be created or opened.
    """
    while True:
        descriptor = _open_lock_file(path)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            break
        # The holder before us has removed the file while we waited. A third process would create a new one under the
        # same name and not see our lock, so the wait starts again with the file that exists now.
        os.close(descriptor)
    try:
        yield
    finally:
        # Removed while the lock is still held: the other order would let another process lock a file that disappears.
        path.unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def lock_descriptor(descriptor: int, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock of an open file while the block lasts, and release it before the file is closed.

    Args:
        descriptor: of the open file.
        shared: let other readers hold it at the same time; only writers wait.
    """
    fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def try_lock_descriptor(descriptor: int) -> bool:
    """Take the lock of an open file if it is free; it is held until the file is closed.

    Returns:
        False if another process or thread holds it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_lock_file(path: Path) -> int:
    # Not inheritable by default (PEP 446): a child that kept the descriptor would keep the lock.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
