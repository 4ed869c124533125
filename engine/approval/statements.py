"""Signed statements about a run: who signed what, about which bytes, and when.

A statement is bound to the SHA-256 of the source, the record, the review and the terms of the render. If one of them
changes, the statement is void without being withdrawn. Each statement is a file that is written once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec

from engine.access import Persons
from engine.approval.review_policy import ReviewFigures
from engine.audio.spans import AudioSpan, describe_spans
from engine.audit import Anchor, AuthMethod, EventKind
from engine.core.json_decoder import decode_json
from engine.errors import SignOffError
from engine.record import Count, Document, Sha256, Timestamp, sha256_hex

SCHEMA: Literal["veil/statement/1"] = "veil/statement/1"

Meaning = Literal["reviewed", "approved", "rejected", "released"]
Confirmation = Literal[
    "account and password",
    "password",
    "account, password and code",
    "password and code",
    "sign-in at the provider",
    "nothing: a single user",
]

EVENT_KINDS: Mapping[Meaning, EventKind] = {
    "reviewed": "review",
    "approved": "approval",
    "rejected": "rejection",
    "released": "release",
}
"""The kind of log entry for each meaning."""


class SignedHashes(Document, frozen=True):
    """The hashes that a statement is bound to: SHA-256 of stored bytes.

    Attributes:
        source: Of the video.
        record: Of the detection record.
        review: Of the amendments; of no bytes if there are none.
        terms: Of the canonical JSON of the terms of the render.
    """

    source: Sha256
    record: Sha256
    review: Sha256
    terms: Sha256


class Statement(Document, frozen=True, kw_only=True):
    """A signature in the sense of 21 CFR Part 11: printed name, date and time with zone, meaning.

    Attributes:
        schema: Always "veil/statement/1".
        run: Identifier of the run.
        number: Number of the statement within the run, from 1.
        meaning: What the person states.
        subject: The hashes that the statement is bound to.
        terms: How the output is made: style, encoder, audio, versions; `subject.terms` is their hash.
        output: SHA-256 of the released video, None for the other meanings.
        account: Account of the person who signed.
        name: The person's name as it is printed.
        how: How the person was identified.
        asked: How the person confirmed the signature.
        persons: The number of people that the policy required.
        at: Time of the signature.
        reason: The reason in the person's words.
        head: Anchor of the audit log just before the statement.
        figures: How much had been checked; None in statements of earlier versions, rejections and releases.
        below_policy: What the policy asked for and was lacking, one clause each; the person signed nevertheless, for
            `reason`.
        frames: Frames that a rejection asks to look at again.
    """

    schema: Literal["veil/statement/1"] = SCHEMA
    run: str
    number: Annotated[int, msgspec.Meta(ge=1)]
    meaning: Meaning
    subject: SignedHashes
    terms: Mapping[str, Any]
    output: Sha256 | None = None
    account: str
    name: str
    how: AuthMethod
    asked: Confirmation
    persons: Persons
    at: Timestamp
    reason: str | None = None
    head: Anchor
    figures: ReviewFigures | None = None
    below_policy: tuple[str, ...] = ()
    frames: tuple[Count, ...] = ()

    def format_line(self) -> str:
        """Return the signature as one line of text, as it is shown with the record."""
        reason = f": {self.reason}" if self.reason else ""
        exception = f" [{self.describe_exception()}]" if self.below_policy else ""
        return f"{self.meaning} by {self.name} ({self.account}), {self.at:%Y-%m-%d %H:%M:%S %z}{reason}{exception}"

    def describe_exception(self) -> str:
        """Describe what the policy asked for and was lacking; empty if nothing was."""
        return f"below policy: {'; '.join(self.below_policy)}" if self.below_policy else ""


def hash_terms(terms: Mapping[str, Any]) -> Sha256:
    """Return the SHA-256 of the canonical JSON of terms with its newline, as in a record."""
    return sha256_hex(msgspec.json.encode(terms, order="sorted") + b"\n")


def statement_file_name(number: int) -> str:
    """Return the file name of a statement."""
    return f"{number:04}.json"


def decode_statement(data: bytes, name: str) -> Statement:
    """Decode the stored bytes of a statement; errors call it `name`.

    Raises:
        SignOffError: The bytes are not a statement, or its terms do not have the hash that it is bound to.
    """
    try:
        statement = decode_json(data, type=Statement)
    except msgspec.MsgspecError as error:
        raise SignOffError(
            f"The signature {name} cannot be read as a statement ({error}). Restore the file from a backup."
        ) from error
    # The terms are stored in full and by hash. Only the hash is bound to, so the two must not drift apart.
    if hash_terms(statement.terms) != statement.subject.terms:
        raise SignOffError(f"The signature {name} was tampered with: its terms are not those that were signed.")
    return statement


def describe_changes(statement: Statement, hashes: SignedHashes, terms: Mapping[str, Any]) -> list[str]:
    """Describe what has changed since a statement was signed, one clause per change; empty while it counts."""
    # A review is about source, record and amendments. The approver chooses the style, so that a change of the terms
    # does not void the review.
    words = {"source": "the source", "record": "the detection record", "review": "the amendments"}
    changes = [
        f"{what} changed" for name, what in words.items() if getattr(statement.subject, name) != getattr(hashes, name)
    ]
    if statement.meaning != "reviewed" and statement.subject.terms != hashes.terms:
        changes += list(_describe_differences("", statement.terms, terms))
    return changes


def _describe_differences(path_prefix: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        was, now, where = before.get(name), after.get(name), f"{path_prefix}{name}"
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from _describe_differences(f"{where}.", was, now)
        elif was != now and where == "audio":
            yield f"the audio is {_describe_audio(now)}, it was {_describe_audio(was)}"
        elif was != now:
            yield f"{where} is {now}, it was {was}"


def _describe_audio(spans: object) -> str:
    """Describe the audio spans in words."""
    return describe_spans(msgspec.convert(spans or (), tuple[AudioSpan, ...]))
