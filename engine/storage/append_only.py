"""Append-only files of JSON lines: durable appends, and what a crash leaves of a last line.

A writer appends while it holds the lock of the file (see `engine.storage.locks`). A crash in the middle of an append
leaves a last line without its newline, a torn line. It was never acknowledged, so the next writer may remove it; it
completes the line instead where only the newline is missing. Whether a torn line is complete depends on the format, so
each format decides that for itself.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

_FIRST_TAIL_BYTES = 4096
"""Read from the end of a file first; a line is seldom longer."""


class FileEnd(NamedTuple):
    """The end of an append-only file.

    Attributes:
        last_line: the last whole line without its newline, None if there is none.
        whole_size: size of the file up to the end of that line, in bytes.
        torn_line: what follows it, empty unless an append was interrupted.
    """

    last_line: bytes | None
    whole_size: int
    torn_line: bytes


@contextmanager
def open_append_only(path: Path, *, mode: int = 0o600) -> Iterator[int]:
    """Open a file for reading and appending, and close it after the block.

    Args:
        path: the file; created if it does not exist. Its folder must exist.
        mode: permissions of a new file.

    Yields:
        The descriptor. Every write goes to the end of the file.

    Raises:
        OSError: the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        # Also for an empty file that exists already: the process that created it may have crashed before this point.
        if os.fstat(descriptor).st_size == 0:
            sync_folder(path.parent)
        yield descriptor
    finally:
        os.close(descriptor)


def append_bytes(descriptor: int, data: bytes) -> None:
    """Append all of the bytes or none of them. They may still be in the cache of the kernel afterwards.

    Raises:
        OSError: they cannot be written; the file is as long as before.
    """
    size = os.fstat(descriptor).st_size
    try:
        written = os.write(descriptor, data)
    except OSError:
        os.ftruncate(descriptor, size)
        raise
    # A disk that fills up takes the first part of a write without an error. Half a line is worse than none.
    if written != len(data):
        os.ftruncate(descriptor, size)
        raise OSError(errno.ENOSPC, "no space left on the disk")


def append_durably(descriptor: int, data: bytes) -> None:
    """Append all of the bytes or none of them, and bring them to stable storage.

    Raises:
        OSError: they cannot be written; the file is as long as before.
    """
    size = os.fstat(descriptor).st_size
    append_bytes(descriptor, data)
    try:
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def repair_torn_line(descriptor: int, end: FileEnd, *, is_complete: bool) -> None:
    """End a torn line if it lacks nothing but its newline, else remove it. A file without a torn line is left as it is.

    Args:
        descriptor: of the file, whose lock the caller holds.
        end: how the file ends.
        is_complete: the torn line is valid apart from the missing newline.
    """
    if not end.torn_line:
        return
    if is_complete:
        append_durably(descriptor, b"\n")
    else:
        os.ftruncate(descriptor, end.whole_size)
        os.fsync(descriptor)


def split_torn_line(data: bytes) -> tuple[bytes, bytes]:
    """Split the bytes of a file into its whole lines and the torn line after them, which is empty in a whole file."""
    end = data.rfind(b"\n") + 1
    return data[:end], data[end:]


def read_file_end(descriptor: int) -> FileEnd:
    """Read the last whole line of an open file and what follows it, without reading the file from its beginning."""
    size, tail_size = os.fstat(descriptor).st_size, _FIRST_TAIL_BYTES
    while True:
        tail = os.pread(descriptor, min(size, tail_size), max(0, size - tail_size))
        end = tail.rfind(b"\n")
        start = tail.rfind(b"\n", 0, max(end, 0)) if end > 0 else -1
        # The tail has to begin before the last whole line, or the line would be cut at its front.
        if start >= 0 or tail_size >= size:
            break
        tail_size *= 4
    if end < 0:
        return FileEnd(None, 0, tail)
    return FileEnd(tail[start + 1 : end], size - (len(tail) - end - 1), tail[end + 1 :])


def iterate_whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Read the lines of a file one after another, without their newlines; a torn line is left out."""
    for line in file:
        if line.endswith(b"\n"):
            yield line[:-1]


def sync_folder(folder: Path) -> None:
    """Bring the name of a new file to stable storage.

    `fsync` on the file alone does not do that: after a power cut the content may be on the disk without a name.

    Raises:
        OSError: the folder cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
