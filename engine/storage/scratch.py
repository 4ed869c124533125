"""Scratch folders: private, owned by the process that made them, and removed after that process was killed.

The owner holds the lock of the folder itself for as long as it lives; the kernel releases it however the process ends.
A scratch folder that nobody holds is what a killed process has left: whoever makes the next one beside it removes it,
and so do the start of the workbench and a purge. What it contains may be footage whose faces are not covered yet.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.storage.locks import try_lock_descriptor

_PREFIX = ".veil-scratch-"
_EARLIER_PATTERN = re.compile(r"\.veil-[a-z0-9_]{8}")
"""Scratch folders of versions before 0.1.1. A folder of a user could be called so, but not inside the data folder."""
_NOT_SEARCHED = frozenset({"models", "answers"})
"""Folders of the data folder with many small files and no footage; they are swept when something is written there."""


@contextmanager
def own_scratch_folder(parent: Path) -> Iterator[Path]:
    """Yield a new private folder, removed with its content when the block ends or, after a crash, by the next sweep.

    Args:
        parent: the folder to make it in.

    Raises:
        OSError: it cannot be made.
    """
    sweep_scratch(parent)
    folder, descriptor = _make_locked_folder(parent)
    try:
        yield folder
    finally:
        # Removed while the lock is held, so that no sweep does the same at the same time.
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def own_temporary_folder() -> Iterator[Path]:
    """Yield a scratch folder in the system's folder for temporary files."""
    with own_scratch_folder(Path(tempfile.gettempdir())) as folder:
        yield folder


def sweep_scratch(parent: Path) -> None:
    """Remove the scratch folders in a folder that no living process owns."""
    for entry in os.scandir(parent):
        if entry.name.startswith(_PREFIX):
            _remove_if_left_behind(Path(entry.path))


def sweep_temporary_folder() -> None:
    """Remove the scratch folders in the system's folder for temporary files that no living process owns."""
    sweep_scratch(Path(tempfile.gettempdir()))


def sweep_data_folder(root: Path) -> None:
    """Remove all scratch folders in a data folder that no living process owns."""
    for folder in _list_scratch(root):
        _remove_if_left_behind(folder)


def find_left_behind(root: Path) -> tuple[Path, ...]:
    """Find what `sweep_data_folder` would remove."""
    return tuple(folder for folder in _list_scratch(root) if _is_left_behind(folder))


def _list_scratch(root: Path) -> Iterator[Path]:
    for path, folders, _ in os.walk(root):
        if Path(path) == root:
            folders[:] = [name for name in folders if name not in _NOT_SEARCHED]
        scratch = [name for name in folders if name.startswith(_PREFIX) or _EARLIER_PATTERN.fullmatch(name)]
        folders[:] = [name for name in folders if name not in scratch]
        yield from (Path(path, name) for name in sorted(scratch))


def _make_locked_folder(parent: Path) -> tuple[Path, int]:
    """Make a folder and lock it; return it with the descriptor that holds the lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        try:
            descriptor = _open_folder(folder)
        except FileNotFoundError:
            continue  # A sweep has taken the folder in the moment before it was locked.
        if _try_lock(descriptor, unsupported=True) and folder.exists():
            return folder, descriptor
        os.close(descriptor)


def _remove_if_left_behind(folder: Path) -> None:
    try:
        descriptor = _open_folder(folder)
    except OSError:
        return  # It is gone already, or it belongs to somebody else.
    try:
        if _try_lock(descriptor, unsupported=False):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _is_left_behind(folder: Path) -> bool:
    try:
        descriptor = _open_folder(folder)
    except OSError:
        return False
    try:
        return _try_lock(descriptor, unsupported=False)
    finally:
        os.close(descriptor)


def _open_folder(folder: Path) -> int:
    # No symbolic link is followed: in a folder that others may write, it could lead anywhere.
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _try_lock(descriptor: int, *, unsupported: bool) -> bool:
    """Take the lock if it is free; return `unsupported` on a file system that locks no folders."""
    # NFS is one. There a folder is never taken for left behind, as that of a living process would look the same.
    try:
        return try_lock_descriptor(descriptor)
    except OSError:
        return unsupported
