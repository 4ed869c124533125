"""The accounts of an installation, as they are stored, and the people behind them."""

from __future__ import annotations

import os
import pwd
from typing import Annotated, Literal, get_args

import msgspec

from engine.audit import Actor, AuthMethod
from engine.core.json_decoder import decode_json
from engine.errors import AccessError
from engine.record import Document, Sha256, Timestamp
from engine.storage.data_folder import DataFolder

SCHEMA: Literal["veil/people/1"] = "veil/people/1"

Role = Literal["operator", "reviewer", "approver", "analyst", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)

AccountName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$", description="name of an account")]


class Person(Document, frozen=True):
    """A person who uses Veil.

    Attributes:
        account: Name of the account.
        name: The name as it is printed beside a signature.
        roles: The roles of the account.
        how: How the person was identified.
    """

    account: str
    name: str
    roles: tuple[Role, ...]
    how: AuthMethod

    @property
    def actor(self) -> Actor:
        """The person as the audit log names them."""
        return Actor(self.account, self.name, self.how)


class Identity(Document, frozen=True):
    """A person as an OpenID provider identifies them.

    Attributes:
        issuer: The provider.
        subject: The provider's identifier of the person. The provider never changes it and never reuses it.
    """

    issuer: str
    subject: str


class SecondFactor(Document, frozen=True):
    """The second factor of an account: an authenticator app (TOTP, RFC 6238), and codes for the day it is lost.

    Attributes:
        secret: The secret that the app shares, in base 32. Codes cannot be checked without it, so it is no hash.
        added: When it was set up.
        recovery: SHA-256 of each recovery code that is left.
    """

    secret: str
    added: Timestamp
    recovery: tuple[Sha256, ...] = ()

    def __repr__(self) -> str:
        # Error messages and tracebacks print values; a secret must be in none of them.
        return "SecondFactor(...)"


class Account(Document, frozen=True, kw_only=True):
    """An account.

    Attributes:
        account: Name of the account.
        name: The person's name as it is printed beside a signature.
        roles: What the person may do.
        password: Argon2id hash in PHC format; None if the person signs in by a provider only.
        identities: Identities at providers with which the person signs in.
        email: Address by which the first sign-in through a provider is recognised, if the provider has verified it.
        disabled: Whether the account may no longer sign in.
        created: When the account was added.
        password_set: When the password was last set.
        second_factor: What the account needs besides the password; None: nothing.
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
    second_factor: SecondFactor | None = None

    def to_person(self, how: AuthMethod) -> Person:
        """Return the person behind the account."""
        return Person(self.account, self.name, self.roles, how)


class People(Document, frozen=True):
    """All accounts, oldest first. An account is never removed, because its signatures remain."""

    schema: Literal["veil/people/1"] = SCHEMA
    accounts: tuple[Account, ...] = ()

    def find_account(self, account: str) -> Account | None:
        """Return the account of that name, None if there is none."""
        return next((one for one in self.accounts if one.account == account), None)

    def get_account(self, account: str) -> Account:
        """Return the account of that name.

        Raises:
            AccessError: There is no such account.
        """
        if found := self.find_account(account):
            return found
        raise AccessError(f"There is no account {account!r}; veil users list shows them.")

    def with_account(self, account: Account) -> People:
        """Return all accounts with one replaced or added."""
        others = (account if one.account == account.account else one for one in self.accounts)
        added = () if self.find_account(account.account) else (account,)
        return People(accounts=(*others, *added))


def read_people(data: DataFolder) -> People:
    """Read the accounts; there are none in a single-user installation.

    Raises:
        AccessError: The file cannot be read. Then no sign-in is possible, because a damaged file must not turn the
            installation into one without accounts.
    """
    path = data.people
    try:
        return decode_json(path.read_bytes(), type=People)
    except FileNotFoundError:
        return People()
    except OSError as error:
        raise AccessError(
            f"{path} cannot be read ({error.strerror}), so no sign-in is possible. Check its permissions."
        ) from error
    except msgspec.MsgspecError as error:
        raise AccessError(
            f"{path} is not a file of accounts ({error}), so no sign-in is possible. Restore it from a backup."
        ) from error


def get_single_user(data: DataFolder) -> Person:
    """Return the one person of an installation without accounts, who has all roles; every event says so.

    Raises:
        AccessError: There are accounts.
    """
    if read_people(data).accounts:
        raise AccessError("This installation has accounts; name yours with --as ACCOUNT.")
    account, full_name = _get_system_user()
    return Person(account, full_name or account, ROLES, "single-user")


def _get_system_user() -> tuple[str, str]:
    """Return name and full name of the operating system's user."""
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return f"uid-{os.getuid()}", ""
    return entry.pw_name, entry.pw_gecos.split(",")[0]
