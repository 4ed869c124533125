"""Load a record and the review that belongs to it."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ForeignReviewError
from engine.record import Record, hash_record, read_hashed_record
from engine.review.amendments import Review
from engine.review.review_file import read_review


def load_record(record: Path | str | Record) -> tuple[Record, str]:
    """Return a record and the SHA-256 of its stored bytes.

    Give the path of a stored record: its hash is that of the bytes in the file. A `Record` in memory has no stored
    bytes; its hash is that of the canonical bytes in which Veil stores it, which are the file's unless another program
    has rewritten them.

    Raises:
        RecordError: it cannot be read or is invalid.
    """
    if isinstance(record, Record):
        return record, hash_record(record)
    return read_hashed_record(Path(record), str(record))


def load_review(review: Path | str | Review | None, record_sha256: str) -> Review | None:
    """Return the review of the record with that hash.

    Raises:
        ReviewError: The review cannot be read, is invalid, or belongs to another record.
    """
    if isinstance(review, Path | str):
        return read_review(Path(review), record_sha256)
    if review is not None and review.record_sha256 != record_sha256:
        raise ForeignReviewError("The review is of another record than the one given; give the review of this record.")
    return review
