"""How many people a release takes, and how long a session or a lock-out lasts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from engine import audit
from engine.access.people import Person, read_people
from engine.access.permissions import authorise
from engine.errors import AccessError
from engine.record import Document, encode_document, sha256_hex
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file

SCHEMA: Literal["veil/policy/1"] = "veil/policy/1"

Persons = Literal["one", "two", "three"]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=10_080)]


class Policy(Document, frozen=True, kw_only=True):
    """The rules of an installation.

    Attributes:
        persons: how many people a release takes at least. "one": the same person may do everything. "two": who ran the
            detection or reviewed it cannot approve. "three": besides, who ran it cannot review it.
        failures: wrong passwords in a row after which an account is locked.
        lock_minutes: for how long.
        idle_minutes: after how long without use a session ends.
        session_minutes: after how long a session ends however it is used.
        fresh_minutes: how long ago somebody who signs by a provider may have given it their credential.
        password_length: least number of characters of a password.
    """

    schema: Literal["veil/policy/1"] = SCHEMA
    persons: Persons
    failures: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    lock_minutes: Minutes = 15
    idle_minutes: Minutes = 30
    session_minutes: Minutes = 720
    fresh_minutes: Minutes = 5
    password_length: Annotated[int, msgspec.Meta(ge=8, le=128)] = 10

    @property
    def lock_duration(self) -> timedelta:
        """How long an account is locked."""
        return timedelta(minutes=self.lock_minutes)

    @property
    def idle_timeout(self) -> timedelta:
        """How long a session may go unused."""
        return timedelta(minutes=self.idle_minutes)

    @property
    def session_timeout(self) -> timedelta:
        """How long a session may last."""
        return timedelta(minutes=self.session_minutes)

    @property
    def max_credential_age(self) -> timedelta:
        """How old a provider's word may be at a signing."""
        return timedelta(minutes=self.fresh_minutes)


def read_policy(data: DataFolder) -> Policy:
    """The rules; without any written, one person where there are no accounts, and two where there are.

    Raises:
        AccessError: the file cannot be read.
    """
    path = data.policy
    try:
        return msgspec.json.decode(path.read_bytes(), type=Policy)
    except FileNotFoundError:
        return Policy(persons="two" if read_people(data).accounts else "one")
    except OSError as error:
        raise AccessError(f"{path} cannot be read ({error.strerror}); nothing is approved until it can.") from error
    except msgspec.MsgspecError as error:
        raise AccessError(f"{path} is not a policy ({error}); nothing is approved until it is.") from error


def set_policy(data: DataFolder, by: Person, policy: Policy) -> None:
    """Write the rules, and put on record who did.

    Raises:
        AccessError: they may not.
        AuditError: it cannot be put on record.
        TargetError: it cannot be written.
    """
    authorise(data, by, "settings")
    stored = encode_document(policy)
    data.access.mkdir(parents=True, exist_ok=True)
    write_file(data.policy, stored)
    audit.append(
        data.audit,
        audit.Event(
            actor=by.actor,
            kind="settings",
            subjects={"policy": sha256_hex(stored)},
            details={"persons": policy.persons},
        ),
    )
