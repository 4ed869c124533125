"""Atomic file writes and file hashes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from engine.errors import InputError, TargetError
from engine.storage.append_only import sync_folder
from engine.storage.scratch import own_scratch_folder

_OTHERS_MODE = 0o077
"""What the group and others may do."""


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in lower-case hexadecimal.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check the path and its permissions.") from error


@contextmanager
def open_atomic_write(target: Path) -> Iterator[Path]:
    """Yield a path to write to, renamed to `target` if the block succeeds and removed if it fails.

    Raises:
        TargetError: The folder does not exist or cannot be written, or the disk is full.
    """
    with make_scratch_folder(target) as folder:
        unfinished = folder / target.name
        yield unfinished
        publish_file(unfinished, target)


@contextmanager
def make_scratch_folder(target: Path) -> Iterator[Path]:
    """Yield a private folder on the file system of `target`, removed with its content when the block ends.

    Raises:
        TargetError: `target` is a folder, or its folder cannot be written.
    """
    if target.is_dir():
        raise TargetError(f"{target} is a folder; give the name of a file to write.")
    with ExitStack() as stack:
        try:
            # Beside the target and not in the system's temporary folder: a rename is atomic only in one file system.
            folder = stack.enter_context(own_scratch_folder(target.parent))
        except OSError as error:
            raise TargetError(
                f"{target} cannot be written: {error.strerror or error}. Choose a folder that you may write."
            ) from error
        stack.enter_context(_raise_target_errors(target))
        yield folder


def publish_file(unfinished: Path, target: Path) -> None:
    """Bring a finished file to stable storage and give it its final name.

    Raises:
        TargetError: It cannot be renamed.
    """
    with _raise_target_errors(target):
        with unfinished.open("rb") as file:
            # What lies in a private folder is private too, whatever the umask.
            if not target.parent.stat().st_mode & _OTHERS_MODE:
                os.fchmod(file.fileno(), 0o600)
            # Flushed before the rename: after a power cut the name must not exist with empty content.
            os.fsync(file.fileno())
        unfinished.replace(target)
        # And the name after it: the next step may state that this file exists.
        sync_folder(target.parent)


def make_private_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, for this user alone. Existing ones are left as they are.

    Raises:
        TargetError: it cannot be made.
    """
    try:
        mkdir_private(path)
    except (FileExistsError, NotADirectoryError) as error:
        raise TargetError(
            f"The folder {path} cannot be made: a file is in the way. Move it, or choose another folder."
        ) from error
    except OSError as error:
        raise TargetError(
            f"The folder {path} cannot be made: {error.strerror or error}. Free space there, or give the user that "
            "runs Veil write permission."
        ) from error


def mkdir_private(path: Path) -> None:
    """Make a folder as `make_private_folder` does, for a caller who has a sentence of their own.

    Raises:
        OSError: it cannot be made.
    """
    if not path.is_dir():
        mkdir_private(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
        sync_folder(path.parent)


def write_file(target: Path, data: bytes) -> None:
    """Write a file so that a reader sees either its whole new content or the previous one.

    Raises:
        TargetError: It cannot be written.
    """
    with open_atomic_write(target) as unfinished:
        unfinished.write_bytes(data)


def write_pieces(target: Path, pieces: Iterable[bytes]) -> None:
    """Write a file as `write_file` does, from pieces that need not all be in memory.

    Raises:
        TargetError: It cannot be written.
    """
    with open_atomic_write(target) as unfinished, unfinished.open("wb") as file:
        file.writelines(pieces)


@contextmanager
def _raise_target_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise TargetError(f"{target} cannot be written: {error.strerror}. Nothing was left under that name.") from error
