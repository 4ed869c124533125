"""Writing and reading the audit log, by any number of processes at once.

A writer holds a lock on the file while it reads the last line and adds its own, and waits for the disk after it has let
go of the lock: one wait of the disk then serves every line written before it. What `append` returned has reached stable
storage. A last line that a crash cut short was never acknowledged; the next writer completes it when only its newline
is missing, else removes it and says so in an entry of its own.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.audit.entry import (
    EMPTY_LOG_ANCHOR,
    SYSTEM_ACTOR,
    Anchor,
    Entry,
    Event,
    EventKind,
    decode_entry,
    encode_entry,
    hash_matches,
)
from engine.errors import AuditError
from engine.record import sha256_hex

_TAIL_BYTES = 4096


def log_path(folder: Path) -> Path:
    """Where the log lies in the folder of the audit."""
    return folder / "log.jsonl"


def append(folder: Path, event: Event, *, at: datetime | None = None) -> Entry:
    """Add an event to the log; it is on stable storage when this returns.

    Args:
        folder: of the audit; made when it is missing.
        event: what happened.
        at: when, with zone; now when left out.

    Raises:
        AuditError: the log cannot be written, or does not end in an entry.
    """
    path = log_path(folder)
    try:
        with _open_log(path) as log:
            with _lock_log(log):
                entry = _append_entry(log, path, event, at or datetime.now(UTC).astimezone())
            os.fsync(log)
    except OSError as error:
        raise AuditError(
            f"{path} cannot be written ({error.strerror}); what cannot be put on record is not done."
        ) from error
    return entry


def read_entries(
    folder: Path,
    *,
    run: str | None = None,
    kinds: Collection[EventKind] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Entry]:
    """The entries of the log in order, whether the chain holds or not; see `engine.audit.verify` for that.

    Args:
        folder: of the audit.
        run: only those of this run.
        kinds: only those of these kinds.
        since: only those from this time on.
        until: only those before this time.

    Raises:
        AuditError: the log cannot be read, or a line is not an entry.
    """
    for number, line in enumerate(read_lines(folder), start=1):
        if not line.endswith(b"\n"):
            return
        entry = _parse_entry(log_path(folder), number, line)
        if (
            (run is None or entry.run == run)
            and (kinds is None or entry.kind in kinds)
            and (since is None or entry.at >= since)
            and (until is None or entry.at < until)
        ):
            yield entry


def read_head(folder: Path) -> Anchor:
    """The anchor of the newest entry.

    Raises:
        AuditError: the log cannot be read, or does not end in an entry.
    """
    path = log_path(folder)
    if not path.exists():
        return EMPTY_LOG_ANCHOR
    with path.open("rb") as file, _lock_log(file.fileno(), fcntl.LOCK_SH):
        return _read_log_end(file.fileno(), path).anchor


def read_lines(folder: Path) -> Iterator[bytes]:
    """The lines as they stand, with their newlines; the last has none when a crash or a cut ended it.

    What is being written at this moment is left out.

    Raises:
        AuditError: the log cannot be read.
    """
    path = log_path(folder)
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            with _lock_log(file.fileno(), fcntl.LOCK_SH):
                left = os.fstat(file.fileno()).st_size
            while left > 0 and (line := file.readline(left)):
                left -= len(line)
                yield line
    except OSError as error:
        raise AuditError(f"{path} cannot be read: {error.strerror}.") from error


class _LogEnd(NamedTuple):
    """How a log ends: its newest entry, the size up to which it is whole, and what a crash left after that."""

    anchor: Anchor
    whole_bytes: int
    torn_line: bytes


def _append_entry(log: int, path: Path, event: Event, at: datetime) -> Entry:
    ending = _read_log_end(log, path)
    after, lines = ending.anchor, b""
    if ending.torn_line and (unended := _complete_torn_entry(ending)):
        after, lines = unended.anchor, b"\n"
    elif ending.torn_line:
        os.ftruncate(log, ending.whole_bytes)
        entry, line = encode_entry(_build_repair_event(ending.torn_line), after, at)
        after, lines = entry.anchor, line + b"\n"
    entry, line = encode_entry(event, after, at)
    _write_whole(log, lines + line + b"\n")
    return entry


def _complete_torn_entry(log_end: _LogEnd) -> Entry | None:
    """The entry that lacks nothing but its newline."""
    try:
        entry = decode_entry(log_end.torn_line)
    except msgspec.MsgspecError:
        return None
    follows = (entry.number, entry.previous) == (log_end.anchor.number + 1, log_end.anchor.sha256)
    return entry if follows and hash_matches(log_end.torn_line, entry) else None


def _build_repair_event(torn_line: bytes) -> Event:
    return Event(
        actor=SYSTEM_ACTOR,
        kind="repair",
        subjects={"removed": sha256_hex(torn_line)},
        details={"bytes": len(torn_line)},
        reason="The last line was cut short by a crash; it had not been acknowledged, and was removed.",
    )


def _write_whole(log: int, data: bytes) -> None:
    size = os.fstat(log).st_size
    try:
        written = os.write(log, data)
    except OSError:
        os.ftruncate(log, size)
        raise
    if written != len(data):
        os.ftruncate(log, size)
        raise OSError(28, "no space left on the disk")


def _read_log_end(log: int, path: Path) -> _LogEnd:
    size, reach = os.fstat(log).st_size, _TAIL_BYTES
    while True:
        tail = os.pread(log, min(size, reach), max(0, size - reach))
        end = tail.rfind(b"\n")
        start = tail.rfind(b"\n", 0, max(end, 0)) if end > 0 else -1
        if start >= 0 or reach >= size:
            break
        reach *= 4
    if end < 0:
        return _LogEnd(EMPTY_LOG_ANCHOR, 0, tail)
    entry = _parse_entry(path, None, tail[start + 1 : end + 1])
    return _LogEnd(entry.anchor, size - (len(tail) - end - 1), tail[end + 1 :])


def _parse_entry(path: Path, number: int | None, line: bytes) -> Entry:
    try:
        return decode_entry(line.rstrip(b"\n"))
    except msgspec.MsgspecError as error:
        place = "The last line" if number is None else f"Line {number}"
        raise AuditError(f"{place} of {path} is not an entry ({error}); run veil audit verify.") from error


@contextmanager
def _open_log(path: Path) -> Iterator[int]:
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        if new:
            _sync_folder(path.parent)
        yield log
    finally:
        os.close(log)


def _sync_folder(folder: Path) -> None:
    """Bring the name of a new file to stable storage; its content is of no use without."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _lock_log(log: int, mode: int = fcntl.LOCK_EX) -> Iterator[None]:
    fcntl.flock(log, mode)
    try:
        yield
    finally:
        fcntl.flock(log, fcntl.LOCK_UN)
