"""Signed statements about a run: what somebody says of which very bytes, who they are, and when they said it.

A statement is bound to the SHA-256 of the source, of the record, of the review and of the terms of the render. Where
one of them changes, the statement is void; nobody has to withdraw it. It is a file that is written once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec

from engine.access import Persons
from engine.audio.spans import AudioSpan, describe_spans
from engine.audit import Anchor, AuthMethod, EventKind
from engine.errors import SignOffError
from engine.record import Document, Sha256, Timestamp, sha256_hex

SCHEMA: Literal["veil/statement/1"] = "veil/statement/1"

Meaning = Literal["reviewed", "approved", "rejected", "released"]
Confirmation = Literal["account and password", "password", "sign-in at the provider", "nothing: a single user"]

EVENT_KINDS: Mapping[Meaning, EventKind] = {
    "reviewed": "review",
    "approved": "approval",
    "rejected": "rejection",
    "released": "release",
}
"""As what a statement goes on record."""


class SignedHashes(Document, frozen=True):
    """What a statement is bound to: SHA-256 of stored bytes.

    Attributes:
        source: of the video.
        record: of the detection record.
        review: of the amendments; of nothing when there are none.
        terms: of the canonical JSON of the terms of the render.
    """

    source: Sha256
    record: Sha256
    review: Sha256
    terms: Sha256


class Statement(Document, frozen=True, kw_only=True):
    """A signature in the sense of 21 CFR Part 11: printed name, date and time with zone, meaning.

    Attributes:
        run: the run it is about.
        number: of the statement within the run, from 1.
        terms: how the output is made: style, encoder, versions; `subject.terms` is their hash.
        output: SHA-256 of the released video, None for the other meanings.
        account: of whom it is.
        name: as printed.
        how: how it was known who it was.
        asked: with what they confirmed it.
        persons: how many people the policy asked for.
        at: when.
        reason: why, in their words.
        head: of the audit log just before.
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

    def format_line(self) -> str:
        """The signature as it is shown wherever the record is shown."""
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.meaning} by {self.name} ({self.account}), {self.at:%Y-%m-%d %H:%M:%S %z}{reason}"


def hash_terms(terms: Mapping[str, Any]) -> Sha256:
    """SHA-256 of the canonical JSON of terms, newline included, as `engine.record.encode` writes it."""
    return sha256_hex(msgspec.json.encode(terms, order="sorted") + b"\n")


def statement_file_name(number: int) -> str:
    """The name of the file of a statement."""
    return f"{number:04}.json"


def decode_statement(data: bytes, name: str) -> Statement:
    """A statement from its stored bytes, called `name` in an error.

    Raises:
        SignOffError: it is none, or its terms are not those that it is bound to.
    """
    try:
        statement = msgspec.json.decode(data, type=Statement)
    except msgspec.MsgspecError as error:
        raise SignOffError(
            f"The signature {name} cannot be read as a statement ({error}). Restore the file from a backup."
        ) from error
    if hash_terms(statement.terms) != statement.subject.terms:
        raise SignOffError(f"The signature {name} was tampered with: its terms are not those that were signed.")
    return statement


def describe_changes(statement: Statement, hashes: SignedHashes, terms: Mapping[str, Any]) -> list[str]:
    """What is no longer as it was when a statement was signed, a clause each; empty while it holds.

    A review is of source, record and amendments; whoever approves chooses the style.
    """
    words = {"source": "the source", "record": "the detection record", "review": "the amendments"}
    found = [
        f"{what} changed" for name, what in words.items() if getattr(statement.subject, name) != getattr(hashes, name)
    ]
    if statement.meaning != "reviewed" and statement.subject.terms != hashes.terms:
        found += list(_describe_differences("", statement.terms, terms))
    return found


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
    """The decision on the audio in words."""
    return describe_spans(msgspec.convert(spans or (), tuple[AudioSpan, ...]))
