"""Check that every amendment of a review is the one that the account in it logged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.errors import SignOffError
from engine.record import Sha256, sha256_hex
from engine.review.amendments import Amendment, Review


@dataclass(frozen=True, slots=True)
class LoggedAmendment:
    """An entry of the audit log about one amendment.

    Attributes:
        number: The number of the amendment.
        account: The account of the person who logged it.
        review: SHA-256 of the review with it. Another reviewer may have extended the review before it was hashed.
        line: SHA-256 of the line of the amendment; None in entries of earlier versions.
        adopted: True if the person took over an amendment that was not logged when it was written.
    """

    number: int
    account: str
    review: Sha256
    line: Sha256 | None = None
    adopted: bool = False


def check_amendments(data: bytes, review: Review, logged: Sequence[LoggedAmendment]) -> None:
    """Compare the amendments of a review with their entries in the audit log.

    Args:
        data: The stored bytes of the review.
        review: The review, decoded from them.
        logged: The entries about its amendments, oldest first.

    Raises:
        SignOffError: An amendment was changed, removed, or never logged by the account that it names.
    """
    lines = data.splitlines()
    length_by_sha256 = {sha256: length for length, sha256 in enumerate(_hash_prefixes(lines), start=1)}
    for entry in logged:
        if entry.number > len(lines):
            raise SignOffError(
                f"Amendment {entry.number} is missing from the review, though {entry.account} logged it. Restore the "
                "file from a backup."
            )
        # The hash of a longer review also covers the line, because each line is bound to the one before it.
        is_line_same = entry.line in {None, sha256_hex(lines[entry.number - 1])}
        if not is_line_same or length_by_sha256.get(entry.review, 0) < entry.number:
            raise SignOffError(
                f"Amendment {entry.number} was changed after {entry.account} logged it. Restore the file from a backup."
            )
    for amendment in review.amendments:
        _require_own_entry(amendment, [entry for entry in logged if entry.number == amendment.number])


def _hash_prefixes(lines: Sequence[bytes]) -> Iterator[Sha256]:
    """Yield the SHA-256 of the review up to each of its lines."""
    # One hash that grows, because a long review has thousands of lines.
    growing = hashlib.sha256()
    for line in lines:
        growing.update(line + b"\n")
        yield growing.copy().hexdigest()


def _require_own_entry(amendment: Amendment, entries: Sequence[LoggedAmendment]) -> None:
    name = f"Amendment {amendment.number} in the name of {amendment.by.name or amendment.by.account}"
    if not entries:
        raise SignOffError(
            f"{name} is not in the audit log: it was not written by a signed-in reviewer. Look at it; a reviewer can "
            "take it over with veil amend RECORD REVIEW adopt, or undo it after that."
        )
    if not any(entry.adopted or entry.account == amendment.by.account for entry in entries):
        raise SignOffError(
            f"{name} was tampered with: the audit log says that {entries[0].account} wrote it. Restore the file from a "
            "backup."
        )
