"""Entries of the audit log and their bytes.

A line is one JSON object that ends in `,"sha256":"..."}`: the SHA-256 of the bytes of the line before that ending.
`previous` is the `sha256` of the line before. So an edited line no longer has the hash that it states, and a line that
was removed, moved or replaced no longer fits its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from engine.core.json_decoder import decode_json
from engine.record import Document, Sha256, Timestamp, sha256_hex

EventKind = Literal[
    "ingest",
    "run",
    "amendment",
    "view",
    "review",
    "approval",
    "rejection",
    "render",
    "removal",
    "verification",
    "release",
    "certificate",
    "download",
    "judgement",
    "settings",
    "people",
    "sign-in",
    "sign-in-failed",
    "sign-out",
    "refusal",
    "purge",
    "repair",
    "assignment",
    "archive",
    "note",
    "priority",
]
AuthMethod = Literal["single-user", "account", "oidc", "system"]
DetailValue = str | int | float | bool | None | tuple[tuple[int, int], ...]

FIRST_PREVIOUS_SHA256 = "0" * 64
"""The `previous` of the first entry."""

_HASH_PREFIX, _HASH_SUFFIX = b',"sha256":"', b'"}'
_HASH_FIELD_BYTES = len(_HASH_PREFIX) + 64 + len(_HASH_SUFFIX)


class Actor(Document, frozen=True):
    """The person or program behind an event.

    Attributes:
        account: Name of the account; in a single-user installation, of the operating system's user.
        name: The name as it is printed.
        how: How the person was identified: by account and password ("account"), by an OpenID provider ("oidc"), not at
            all ("single-user"); or "system" if the engine acted on its own.
    """

    account: str
    name: str
    how: AuthMethod


SYSTEM_ACTOR = Actor("veil", "Veil", "system")
"""The engine, for events that no person caused."""


class Event(Document, frozen=True, kw_only=True, omit_defaults=True):
    """An event to be logged.

    Attributes:
        actor: Who caused it.
        kind: The kind of event.
        run: Identifier of the run that it concerns.
        subjects: SHA-256 of the files that it concerns, by name, such as `source`, `record`, `review`, `output`.
        details: More about it, by name. Never a password or another secret.
        reason: The reason in the words of the actor.
    """

    actor: Actor
    kind: EventKind
    run: str | None = None
    subjects: Mapping[str, Sha256] = {}
    details: Mapping[str, DetailValue] = {}
    reason: str | None = None


class UnhashedEntry(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An event with its position in the chain.

    Attributes:
        number: Number of the entry and of its line, from 1.
        previous: `sha256` of the entry before; `FIRST_PREVIOUS_SHA256` for the first.
        at: Time of the event, in the zone of the machine.
    """

    number: Annotated[int, msgspec.Meta(ge=1)]
    previous: Sha256
    at: Timestamp


class Entry(UnhashedEntry, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the log; `sha256` is computed over the bytes of the line before that field."""

    sha256: Sha256

    @property
    def anchor(self) -> Anchor:
        """The anchor of the chain up to this entry."""
        return Anchor(self.number, self.sha256)


class Anchor(Document, frozen=True):
    """Number and hash of an entry. Kept elsewhere, it proves that the log up to that entry is whole and unchanged."""

    number: Annotated[int, msgspec.Meta(ge=0)]
    sha256: Sha256


EMPTY_LOG_ANCHOR = Anchor(0, FIRST_PREVIOUS_SHA256)
"""The anchor of an empty log."""


def encode_entry(event: Event, previous: Anchor, at: datetime) -> tuple[Entry, bytes]:
    """Encode an event as the entry that follows an anchor; return the entry and its line without the newline."""
    # The hash comes last and is computed over the bytes before it, so that a reader checks stored bytes and never has
    # to encode an entry again.
    values = msgspec.structs.asdict(event)
    body = msgspec.json.encode(
        UnhashedEntry(**values, number=previous.number + 1, previous=previous.sha256, at=at), order="sorted"
    ).removesuffix(b"}")
    sha256 = sha256_hex(body)
    entry = Entry(**values, number=previous.number + 1, previous=previous.sha256, at=at, sha256=sha256)
    return entry, body + _HASH_PREFIX + sha256.encode() + _HASH_SUFFIX


def decode_entry(line: bytes, *, unique_keys: bool = False) -> Entry:
    """Decode a line without its newline.

    Raises:
        msgspec.MsgspecError: The line is not an entry.
    """
    # The log is read often, and its lines are known by their hashes: only `verify` looks for keys that stand twice.
    return decode_json(line, type=Entry, unique_keys=unique_keys)


def hash_matches(line: bytes, entry: Entry) -> bool:
    """Whether the line of an entry has the hash that it states, at the end of the line."""
    ending = _HASH_PREFIX + entry.sha256.encode() + _HASH_SUFFIX
    return line.endswith(ending) and sha256_hex(line[:-_HASH_FIELD_BYTES]) == entry.sha256
