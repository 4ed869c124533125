"""What stands in a line of the audit log, and how it becomes bytes.

A line is one JSON object that ends in `,"sha256":"..."}`. That is the SHA-256 of the bytes of the line before that
ending; `previous` is the `sha256` of the line before. So a line that is edited no longer has the hash it states, and
one that is taken away, moved or replaced no longer has the neighbours it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from engine.record import Document, Sha256, sha256_hex

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
]
AuthMethod = Literal["single-user", "account", "oidc", "system"]
Timestamp = Annotated[datetime, msgspec.Meta(tz=True)]
DetailValue = str | int | float | bool | None | tuple[tuple[int, int], ...]

FIRST_PREVIOUS_SHA256 = "0" * 64
"""What the first entry names as the one before it."""

_HASH_PREFIX, _HASH_SUFFIX = b',"sha256":"', b'"}'
_HASH_FIELD_BYTES = len(_HASH_PREFIX) + 64 + len(_HASH_SUFFIX)


class Actor(Document, frozen=True):
    """Who did something.

    Attributes:
        account: name of the account; of the operating system's user in a single-user installation.
        name: as it is printed.
        how: how it is known who it was: by an account and its password, by an OpenID provider, not at all because the
            installation has a single user, or nobody because the engine did it by itself.
    """

    account: str
    name: str
    how: AuthMethod


SYSTEM_ACTOR = Actor("veil", "Veil", "system")
"""The engine, of what it does by itself."""


class Event(Document, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened.

    Attributes:
        run: the run it happened to.
        subjects: SHA-256 of what it happened to, by what that is, as `source`, `record`, `review`, `output`.
        details: more about it, by name. Never a password or another secret.
        reason: why, in the words of the actor.
    """

    actor: Actor
    kind: EventKind
    run: str | None = None
    subjects: Mapping[str, Sha256] = {}
    details: Mapping[str, DetailValue] = {}
    reason: str | None = None


class UnhashedEntry(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An event with its place in the chain.

    Attributes:
        number: from 1; the same as the number of the line.
        previous: `sha256` of the entry before, `BEGINNING` for the first.
        at: when, with the zone of the machine.
    """

    number: Annotated[int, msgspec.Meta(ge=1)]
    previous: Sha256
    at: Timestamp


class Entry(UnhashedEntry, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the log; `sha256` is of its bytes before that field."""

    sha256: Sha256

    @property
    def anchor(self) -> Anchor:
        """What it takes to recognise the chain up to here."""
        return Anchor(self.number, self.sha256)


class Anchor(Document, frozen=True):
    """The chain up to an entry, in two values: kept elsewhere, it proves that nothing before was changed or cut off."""

    number: Annotated[int, msgspec.Meta(ge=0)]
    sha256: Sha256


EMPTY_LOG_ANCHOR = Anchor(0, FIRST_PREVIOUS_SHA256)
"""The anchor of an empty log."""


def encode_entry(event: Event, previous: Anchor, at: datetime) -> tuple[Entry, bytes]:
    """An event as the entry after another, and its line without the newline."""
    values = msgspec.structs.asdict(event)
    body = msgspec.json.encode(
        UnhashedEntry(**values, number=previous.number + 1, previous=previous.sha256, at=at), order="sorted"
    ).removesuffix(b"}")
    sha256 = sha256_hex(body)
    entry = Entry(**values, number=previous.number + 1, previous=previous.sha256, at=at, sha256=sha256)
    return entry, body + _HASH_PREFIX + sha256.encode() + _HASH_SUFFIX


def decode_entry(line: bytes) -> Entry:
    """The entry of a line without its newline.

    Raises:
        msgspec.MsgspecError: it is none.
    """
    return _DECODER.decode(line)


def hash_matches(line: bytes, entry: Entry) -> bool:
    """Whether a line has the hash it states, where it is to stand."""
    ending = _HASH_PREFIX + entry.sha256.encode() + _HASH_SUFFIX
    return line.endswith(ending) and sha256_hex(line[:-_HASH_FIELD_BYTES]) == entry.sha256


_DECODER = msgspec.json.Decoder(Entry)
