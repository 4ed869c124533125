"""Append to the audit log and read it, from any number of processes at once.

A writer holds the lock of the file while it reads the last line and appends its own, and flushes to disk after it has
released the lock: one flush then covers every line written before it. An entry that `append` has returned is on stable
storage. A last line that a crash cut short was never acknowledged. The next writer completes it if only its newline is
missing; otherwise it removes the line and logs the removal.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

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
from engine.storage.append_only import FileEnd, append_bytes, open_append_only, read_file_end
from engine.storage.data_folder import AUDIT_LOG_NAME
from engine.storage.files import mkdir_private
from engine.storage.locks import lock_descriptor

_TAIL_BYTES = 4096


def log_path(folder: Path) -> Path:
    """Return the path of the log in the folder of the audit."""
    return folder / AUDIT_LOG_NAME


def append(folder: Path, event: Event, *, at: datetime | None = None) -> Entry:
    """Append an event to the log; it is on stable storage when this returns.

    Args:
        folder: The folder of the audit; created if it is missing.
        event: The event.
        at: Time of the event, with its zone; now if omitted.

    Raises:
        AuditError: The log cannot be written, or its last line is not an entry.
    """
    path = log_path(folder)
    try:
        mkdir_private(folder)
        with open_append_only(path, mode=0o600) as log:
            with lock_descriptor(log):
                entry = _append_entry(log, path, event, at or datetime.now(UTC).astimezone())
            # Outside of the lock: while one writer waits for the disk, others append, and one flush serves all of them.
            os.fsync(log)
    except OSError as error:
        raise AuditError(
            f"{path} cannot be written ({error.strerror}); an action that cannot be logged is not carried out."
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
    """Read the entries of the log in order, without checking the chain; see `engine.audit.verify` for that.

    Args:
        folder: The folder of the audit.
        run: Only entries of this run; all if omitted.
        kinds: Only entries of these kinds; all if omitted.
        since: Only entries from this time on.
        until: Only entries before this time.

    Raises:
        AuditError: The log cannot be read, or a line is not an entry.
    """
    for number, line in enumerate(read_lines(folder), start=1):
        # A line that was cut short was never acknowledged, so it is no entry.
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
    """Return the anchor of the newest entry.

    Raises:
        AuditError: The log cannot be read, or does not end in an entry.
    """
    path = log_path(folder)
    if not path.exists():
        return EMPTY_LOG_ANCHOR
    # Under the lock, because a line that a writer is appending could be read in half.
    with path.open("rb") as file, lock_descriptor(file.fileno(), shared=True):
        return _read_newest_anchor(read_file_end(file.fileno()), path)


def read_lines(folder: Path) -> Iterator[bytes]:
    """Read the lines with their newlines; the last line has none if it was cut short.

    Raises:
        AuditError: The log cannot be read.
    """
    path = log_path(folder)
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            with lock_descriptor(file.fileno(), shared=True):
                # Read up to the size at this moment: what a writer appends meanwhile may be half a line.
                left = os.fstat(file.fileno()).st_size
            while left > 0 and (line := file.readline(left)):
                left -= len(line)
                yield line
    except OSError as error:
        raise AuditError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error


def _append_entry(log: int, path: Path, event: Event, at: datetime) -> Entry:
    end = read_file_end(log)
    newest, lines = _read_newest_anchor(end, path), b""
    if end.torn_line and (completed := _complete_torn_entry(end.torn_line, newest)):
        newest, lines = completed.anchor, b"\n"
    elif end.torn_line:
        # What is removed is put on record by its hash: a line must not disappear from the log without a trace.
        os.ftruncate(log, end.whole_size)
        repair, line = encode_entry(_build_repair_event(end.torn_line), newest, at)
        newest, lines = repair.anchor, line + b"\n"
    entry, line = encode_entry(event, newest, at)
    append_bytes(log, lines + line + b"\n")
    return entry


def _complete_torn_entry(torn_line: bytes, newest: Anchor) -> Entry | None:
    """Return the entry of a torn line that lacks nothing but its newline, None if it lacks more."""
    try:
        entry = decode_entry(torn_line)
    except msgspec.MsgspecError:
        return None
    follows = (entry.number, entry.previous) == (newest.number + 1, newest.sha256)
    return entry if follows and hash_matches(torn_line, entry) else None


def _build_repair_event(torn_line: bytes) -> Event:
    return Event(
        actor=SYSTEM_ACTOR,
        kind="repair",
        subjects={"removed": sha256_hex(torn_line)},
        details={"bytes": len(torn_line)},
        reason="The last line was cut short by a crash; it had not been acknowledged, and was removed.",
    )


def _read_newest_anchor(end: FileEnd, path: Path) -> Anchor:
    return EMPTY_LOG_ANCHOR if end.last_line is None else _parse_entry(path, None, end.last_line).anchor


def _parse_entry(path: Path, number: int | None, line: bytes) -> Entry:
    try:
        return decode_entry(line.rstrip(b"\n"))
    except msgspec.MsgspecError as error:
        place = "The last line" if number is None else f"Line {number}"
        raise AuditError(f"{place} of {path} is not an entry ({error}); run veil audit verify.") from error
