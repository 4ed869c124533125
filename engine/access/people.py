"""The people of an installation and their accounts, as they are stored."""

from __future__ import annotations

import os
import pwd
from datetime import datetime
from typing import Annotated, Literal, get_args

import msgspec

from engine.audit import Actor, AuthMethod
from engine.errors import AccessError
from engine.record import Document
from engine.storage.data_folder import DataFolder

SCHEMA: Literal["veil/people/1"] = "veil/people/1"

Role = Literal["operator", "reviewer", "approver", "analyst", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)

AccountName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$", description="name of an account")]
Timestamp = Annotated[datetime, msgspec.Meta(tz=True)]


class Person(Document, frozen=True):
    """Somebody at work.

    Attributes:
        account: name of the account.
        name: as it is printed beside a signature.
        how: how it is known who it is.
    """

    account: str
    name: str
    roles: tuple[Role, ...]
    how: AuthMethod

    @property
    def actor(self) -> Actor:
        """The person as the audit log names it."""
        return Actor(self.account, self.name, self.how)


class Identity(Document, frozen=True):
    """Somebody as an OpenID provider knows them; the two together never change and are never given to another."""

    issuer: str
    subject: str


class Account(Document, frozen=True, kw_only=True):
    """An account.

    Attributes:
        password: Argon2id hash in its usual spelling; None for somebody who signs in by a provider only.
        identities: by which providers they sign in.
        email: by which a provider's first sign-in is recognised, if the provider has verified it.
        password_set: when the password was last set.
    """

    account: AccountName
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    roles: tuple[Role, ...]
    password: str | None = None
    identities: tuple[Identity, ...] = ()
    email: str | None = None
    disabled: bool = False
    created: Timestamp
    password_set: Timestamp | None = None

    def to_person(self, how: AuthMethod) -> Person:
        """The person behind the account."""
        return Person(self.account, self.name, self.roles, how)


class People(Document, frozen=True):
    """All accounts, in the order in which they were made. None is ever removed: what it signed stays signed."""

    schema: Literal["veil/people/1"] = SCHEMA
    accounts: tuple[Account, ...] = ()

    def find_account(self, account: str) -> Account | None:
        """The account of that name."""
        return next((one for one in self.accounts if one.account == account), None)

    def get_account(self, account: str) -> Account:
        """The account of that name.

        Raises:
            AccessError: there is none.
        """
        if found := self.find_account(account):
            return found
        raise AccessError(f"There is no account {account!r}; veil users list shows them.")

    def with_account(self, account: Account) -> People:
        """The same with one account replaced, or added."""
        others = (account if one.account == account.account else one for one in self.accounts)
        added = () if self.find_account(account.account) else (account,)
        return People(accounts=(*others, *added))


def read_people(data: DataFolder) -> People:
    """The accounts; none where nobody has made any.

    Raises:
        AccessError: the file of accounts cannot be read. Nobody gets in until it can.
    """
    path = data.people
    try:
        return msgspec.json.decode(path.read_bytes(), type=People)
    except FileNotFoundError:
        return People()
    except OSError as error:
        raise AccessError(f"{path} cannot be read ({error.strerror}); nobody can sign in until it can.") from error
    except msgspec.MsgspecError as error:
        raise AccessError(f"{path} is not a file of accounts ({error}); nobody can sign in until it is.") from error


def get_single_user(data: DataFolder) -> Person:
    """The one person of an installation without accounts, who may do everything; every event says so.

    Raises:
        AccessError: there are accounts.
    """
    if read_people(data).accounts:
        raise AccessError("There are accounts here, so nobody works without one: say who you are, with --as ACCOUNT.")
    entry = _get_system_user()
    return Person(entry[0], entry[1] or entry[0], ROLES, "single-user")


def _get_system_user() -> tuple[str, str]:
    """Name and full name of the operating system's user."""
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return f"uid-{os.getuid()}", ""
    return entry.pw_name, entry.pw_gecos.split(",")[0]
