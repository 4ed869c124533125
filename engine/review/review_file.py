"""The file of a review: read strictly, append safely, each line bound to the one before by its hash.

Writers hold the lock of the file, and a line counts once it is on stable storage. A crash can leave an unfinished last
line: reading raises TornReviewError, and the next amendment removes the line, or completes it if only its newline is
missing.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from engine.core.json_decoder import decode_json
from engine.errors import AmendmentError, ForeignReviewError, RecordError, ReviewError, TargetError, TornReviewError
from engine.record import Record, Sha256, encode_document, sha256_hex
from engine.review.amendments import (
    SCHEMA,
    Action,
    Amendment,
    Author,
    Delete,
    Review,
    Undo,
    find_effective_amendments,
)
from engine.review.apply import AmendedRecord
from engine.storage.append_only import (
    append_durably,
    open_append_only,
    read_file_end,
    repair_torn_line,
    split_torn_line,
)
from engine.storage.locks import lock_descriptor

_AMENDMENT_BEGIN = b'{"action":'
"""The first bytes of every line."""


@dataclass(frozen=True, slots=True)
class PreparedAmendment:
    """An amendment that fits and is about to be written.

    Attributes:
        amendment: The amendment.
        line: Its line with the newline.
        review_sha256: SHA-256 of the review once it has the line.
    """

    amendment: Amendment
    line: bytes
    review_sha256: Sha256


class PendingLine(Protocol):
    """The line that a crash may have left logged and unwritten. Its methods are called while the review is locked."""

    def find_unwritten(self, review: Review) -> bytes:
        """Return the line that was logged before a crash and that the review lacks, empty if there is none."""

    def confirm(self) -> None:
        """Forget the line: the review has it now."""


class AmendmentLog(PendingLine, Protocol):
    """Where amendments are logged before they are written. Its methods are called while the review is locked."""

    def log(self, prepared: PreparedAmendment) -> None:
        """Log an amendment; it is not written if this raises."""


def make_empty_review(record_sha256: Sha256) -> Review:
    """Return the review of a record without amendments."""
    return Review(record_sha256, (), sha256_hex(b""))


def read_review(path: Path, record_sha256: Sha256, *, missing_ok: bool = False) -> Review:
    """Read a review strictly. `engine.review.apply` checks that its amendments fit the record.

    Args:
        path: The file.
        record_sha256: SHA-256 of the stored bytes of the record that the review must belong to.
        missing_ok: Read a file that does not exist as a review without amendments.

    Raises:
        TornReviewError: The last line is unfinished.
        ForeignReviewError: The review belongs to another record.
        ReviewError: The file cannot be read, or a line is not an amendment or not bound to the one before; the message
            names the line and the field.
    """
    try:
        with path.open("rb") as file, lock_descriptor(file.fileno(), shared=True):
            data = file.read()
    except FileNotFoundError as error:
        if missing_ok:
            return make_empty_review(record_sha256)
        raise ReviewError(f"{path} does not exist; give the path of a review, or none.") from error
    except OSError as error:
        raise ReviewError(f"{path} cannot be read: {error.strerror}. Give the path of a review.") from error
    return decode_review(data, record_sha256, str(path))


def decode_review(data: bytes, record_sha256: Sha256, name: str = "review") -> Review:
    """Decode the stored bytes of a review; errors call it `name`.

    Raises:
        ReviewError: As `read_review`.
    """
    lines = data.split(b"\n")
    if lines.pop():
        raise TornReviewError(
            f"{name} ends in the middle of line {len(lines) + 1}, as after a crash during a write; the lines before it "
            "are complete. The next amendment removes the unfinished line, and so does repairing the review."
        )
    return Review(record_sha256, tuple(_decode_chain(lines, record_sha256, name)), sha256_hex(data))


def append_amendment(  # noqa: PLR0913, PLR0917 - the fields of an amendment
    path: Path,
    record: Record,
    record_sha256: Sha256,
    action: Action,
    by: Author,
    reason: str = "",
    at: datetime | None = None,
    *,
    log: AmendmentLog | None = None,
) -> Amendment:
    """Append an amendment to a review; it is on stable storage when this returns.

    Args:
        path: The file; created if it does not exist.
        record: The record to amend.
        record_sha256: SHA-256 of the record's stored bytes.
        action: The change.
        by: The author.
        reason: The reason for the change.
        at: Time of the amendment, with its zone; now if omitted.
        log: Logs the amendment before it is written; None: it is not logged.

    Raises:
        RecordError: The review cannot be read, or the amendment does not fit; nothing was written.
        TargetError: The review cannot be written.
    """
    return append_amendments(path, record, record_sha256, [action], by, reason, at, log=log)[0]


def append_amendments(  # noqa: PLR0913, PLR0917 - the fields of an amendment
    path: Path,
    record: Record,
    record_sha256: Sha256,
    actions: Sequence[Action],
    by: Author,
    reason: str = "",
    at: datetime | None = None,
    *,
    log: AmendmentLog | None = None,
) -> tuple[Amendment, ...]:
    """Append several amendments with one reason to a review, as `append_amendment` does one.

    All of them fit, or nothing is written. They are logged and written one after another: a crash leaves whole
    amendments, of which each stands by itself.

    Raises:
        RecordError: The review cannot be read, or an amendment does not fit; nothing was written.
        TargetError: The review cannot be written.
    """
    # Not a rule of the type: reviews of earlier versions have removals without a reason, and must still be read.
    if any(isinstance(action, Delete) for action in actions) and not reason.strip():
        raise RecordError("Removing a mask needs a reason, because it makes what is under it visible; give one.")
    with _open_locked(path) as descriptor:
        review = _repair_file(descriptor, record_sha256, str(path))
        if log and (unwritten := log.find_unwritten(review)):
            append_durably(descriptor, unwritten)
            review = _repair_file(descriptor, record_sha256, str(path))
        at = at or datetime.now(UTC).replace(microsecond=0)
        extended = review
        for action in actions:
            amendment = _build_amendment(extended, action, by, reason.strip(), at)
            if isinstance(action, Undo):
                _check_undo(extended, action)
            extended = msgspec.structs.replace(extended, amendments=(*extended.amendments, amendment))
        added = extended.amendments[len(review.amendments) :]
        _check_fit(record, extended, {amendment.number for amendment in added})
        for amendment in added:
            _write_amendment(descriptor, amendment, path, log)
    return added


def _build_amendment(earlier: Review, action: Action, by: Author, reason: str, at: datetime) -> Amendment:
    """Build the amendment that follows those of a review."""
    amendments = earlier.amendments
    previous = sha256_hex(encode_document(amendments[-1])[:-1]) if amendments else earlier.record_sha256
    try:
        return _round_trip(Amendment(SCHEMA, len(amendments) + 1, previous, by, at, reason, action))
    except ValueError as error:
        raise RecordError(f"That cannot be amended: {error}.") from error


def _write_amendment(descriptor: int, amendment: Amendment, path: Path, log: AmendmentLog | None) -> None:
    """Log an amendment and write its line."""
    line = encode_document(amendment)
    if log:
        stored = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        log.log(PreparedAmendment(amendment, line, sha256_hex(stored + line)))
    try:
        append_durably(descriptor, line)
    except OSError as error:
        raise TargetError(
            f"{path} cannot be written: {error.strerror}. The amendment was not added; free some space on the disk "
            "and amend again."
        ) from error
    if log:
        log.confirm()


def repair_review(path: Path, record_sha256: Sha256) -> Review:
    """Complete or remove an unfinished last line, and read the review. A complete review is not changed.

    Raises:
        ReviewError: The review does not exist or is damaged in another way.
        TargetError: The review cannot be written.
    """
    if not path.exists():
        raise ReviewError(f"{path} does not exist; there is nothing to repair.")
    with _open_locked(path) as descriptor:
        return _repair_file(descriptor, record_sha256, str(path))


def complete_review(path: Path, record_sha256: Sha256, pending: PendingLine) -> None:
    """Repair a review and append the line that a crash left unwritten.

    Raises:
        ReviewError: The review is damaged.
        TargetError: The review cannot be written.
    """
    with _open_locked(path) as descriptor:
        if line := pending.find_unwritten(_repair_file(descriptor, record_sha256, str(path))):
            append_durably(descriptor, line)
        pending.confirm()


def _round_trip(amendment: Amendment) -> Amendment:
    """Return the amendment as it will be read again: limits checked, numbers in their stored form."""
    return decode_json(encode_document(amendment), type=Amendment)


def _check_fit(record: Record, extended: Review, added: Collection[int]) -> None:
    """Check that a review still fits its record with the amendments of these numbers added to it."""
    # The whole review is applied: an undo can make a later amendment lose what it builds on.
    try:
        AmendedRecord(record, extended)
    except AmendmentError as error:
        if error.number in added:
            raise RecordError(f"That cannot be amended: {error.problem}.") from error
        raise RecordError(
            f"That cannot be undone: amendment {error.number} would not fit any more ({error.problem}). "
            "Undo the amendments that build on it first."
        ) from error


def _check_undo(review: Review, undo: Undo) -> None:
    number = undo.amendment
    if number not in {amendment.number for amendment in find_effective_amendments(review.amendments)}:
        raise RecordError(
            f"Amendment {number} is already undone; to make it count again, undo the amendment that undid it."
        )


def _decode_chain(lines: Sequence[bytes], record_sha256: Sha256, name: str) -> Iterator[Amendment]:
    previous = record_sha256
    for number, line in enumerate(lines, start=1):
        amendment = _decode_line(line, number, name)
        # The number comes first: its message says more than a broken chain when a whole line was removed or moved.
        if amendment.number != number:
            raise ReviewError(
                f"{name}, line {number}, $.number: expected {number}, got {amendment.number}; a line was removed, "
                "added or moved."
            )
        if amendment.previous != previous:
            # The first line is bound to the record, every other one to the line before it.
            place = f"{name}, line {number}, $.previous: not the hash of what comes before it"
            if number == 1:
                raise ForeignReviewError(f"{place}; the review is of another record. Give the review of this record.")
            raise ReviewError(f"{place}; line {number - 1} was changed after line {number} was written.")
        previous = sha256_hex(line)
        yield amendment


def _decode_line(line: bytes, number: int, name: str) -> Amendment:
    try:
        amendment = decode_json(line, type=Amendment)
    except msgspec.MsgspecError as error:
        raise ReviewError(f"{name}, line {number}, is not a valid amendment: {error}.") from error
    # Other bytes with the same meaning are refused, as they would have another hash: one amendment, one form.
    if encode_document(amendment)[:-1] != line:
        raise ReviewError(
            f"{name}, line {number}, is not in the form that Veil writes; it was edited or made by another program."
        )
    return amendment


def _repair_file(descriptor: int, record_sha256: Sha256, name: str) -> Review:
    """Complete or remove a torn last line, and return the review."""
    data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    whole, torn = split_torn_line(data)
    # Decoded before anything is written: a review that is damaged elsewhere is evidence and stays as it is.
    review = decode_review(whole, record_sha256, name)
    # A file without a newline may be anything: only what begins as an amendment does is removed.
    if not _AMENDMENT_BEGIN.startswith(torn[: len(_AMENDMENT_BEGIN)]):
        raise ReviewError(f"{name} ends in a line that is no amendment; give the path of a review.")
    completed = _decode_completed(data, record_sha256, name) if torn else None
    repair_torn_line(descriptor, read_file_end(descriptor), is_complete=completed is not None)
    return completed or review


def _decode_completed(data: bytes, record_sha256: Sha256, name: str) -> Review | None:
    """Return the review with its last line ended, None if that line lacks more than its newline."""
    try:
        return decode_review(data + b"\n", record_sha256, name)
    except ReviewError:
        return None


@contextmanager
def _open_locked(path: Path) -> Iterator[int]:
    """Open the file, created if it does not exist, and hold its lock while the block lasts."""
    with ExitStack() as stack:
        try:
            descriptor = stack.enter_context(open_append_only(path))
        except OSError as error:
            raise TargetError(
                f"{path} cannot be written: {error.strerror}. Choose a file in a folder that you may write."
            ) from error
        stack.enter_context(lock_descriptor(descriptor))
        yield descriptor
