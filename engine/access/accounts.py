"""Add and change accounts. Every change is logged; a password never is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from engine.access import lockout, passwords
from engine.access.credentials import UNKNOWN_ACTOR, log_failed_sign_in
from engine.access.edit_people import edit_people
from engine.access.names import check_names
from engine.access.people import Account, Identity, People, Person, Role, read_people
from engine.access.permissions import authorise, require_enabled
from engine.access.policy import read_policy
from engine.errors import AccessError
from engine.storage.data_folder import DataFolder


def add_account(  # noqa: PLR0913 - the fields of an account
    data: DataFolder,
    by: Person,
    account: str,
    *,
    name: str,
    roles: Sequence[Role],
    password: str | None = None,
    email: str | None = None,
    identity: Identity | None = None,
) -> Account:
    """Add an account.

    Args:
        data: The data folder.
        by: An administrator; the single user for the first account, which must be an administrator's.
        account: Name of the account, in lower case.
        name: Name of the person, as printed beside a signature.
        roles: What the person may do.
        password: The password; None if the person signs in by a provider only.
        email: Address by which the first sign-in through a provider is recognised.
        identity: Identity at a provider.

    Raises:
        AccessError: `by` may not add accounts, the name is taken or invalid, the password is too short, or the first
            account could not add others.
        AuditError: The addition cannot be logged.
    """
    authorise(data, by, "people")
    now = _now()
    values = {
        "account": account,
        "name": name,
        "roles": tuple(dict.fromkeys(roles)),
        "password": None if password is None else passwords.hash_password(password, read_policy(data).password_length),
        "identities": () if identity is None else (msgspec.to_builtins(identity),),
        "email": email,
        "created": now,
        "password_set": None if password is None else now,
    }
    added = _validate_account(values)

    def apply_addition(people: People) -> People:
        if people.find_account(account):
            raise AccessError(
                f"The account {account} exists already, and no name is given to two people; choose another."
            )
        if not people.accounts and ("administrator" not in added.roles or password is None):
            raise AccessError(
                "The first account must be an administrator's, with a password, so that it can add others."
            )
        check_names(people, added)
        return people.with_account(added)

    edit_people(data, by, f"added {account}", apply_addition)
    return added


def disable_account(data: DataFolder, by: Person, account: str) -> None:
    """Disable an account; its sessions end with their next action. The account and its signatures stay.

    Raises:
        AccessError: `by` may not disable accounts, there is no such account, or no administrator would be left.
        AuditError: The change cannot be logged.
    """
    authorise(data, by, "people")

    def apply_disabling(people: People) -> People:
        changed = people.with_account(msgspec.structs.replace(people.get_account(account), disabled=True))
        if not any("administrator" in one.roles and not one.disabled for one in changed.accounts):
            raise AccessError(f"{account} is the last administrator; add another one first.")
        return changed

    edit_people(data, by, f"disabled {account}", apply_disabling)


def change_password(data: DataFolder, by: Person, account: str, password: str) -> None:
    """Set the password of an account, as its owner or as an administrator; earlier sessions of the account end.

    Raises:
        AccessError: `by` may not set it, there is no such account, or the password is too short.
        AuditError: The change cannot be logged.
    """
    if by.account != account:
        authorise(data, by, "people")
    # Hashed before the lock is taken: Argon2 is slow on purpose, and every sign-in waits for that lock to count its
    # attempt.
    password_hash = passwords.hash_password(password, read_policy(data).password_length)
    now = _now()

    def apply_password(people: People) -> People:
        return people.with_account(
            msgspec.structs.replace(people.get_account(account), password=password_hash, password_set=now)
        )

    edit_people(data, by, f"set the password of {account}", apply_password)
    # A new password also unlocks the account, so that an administrator can help a person before the lock expires.
    lockout.clear_attempts(data, account)


def find_person_by_identity(
    data: DataFolder, identity: Identity, email: str | None, *, is_email_verified: bool
) -> Person:
    """Find the person that a provider identifies.

    The account that names the identity is theirs. Otherwise it is the account that names the e-mail address and no
    identity yet, if the provider has verified the address. That account then stores the identity, so that the address
    alone no longer opens it.

    Raises:
        AccessError: No account matches, or the account is disabled.
        AuditError: The failure cannot be logged.
    """
    people = read_people(data)
    found = next((one for one in people.accounts if identity in one.identities), None)
    if found is None and email and is_email_verified:
        found = next((one for one in people.accounts if not one.identities and _is_same_email(one.email, email)), None)
        if found is not None:
            _bind_identity(data, found, identity)
    if found is None:
        log_failed_sign_in(data, UNKNOWN_ACTOR, "sign in", "no account for this identity")
        raise AccessError("Your sign-in succeeded, but you have no account here; ask an administrator for one.")
    return require_enabled(found, found.account).to_person("oidc")


def _bind_identity(data: DataFolder, account: Account, identity: Identity) -> None:
    def apply_identity(people: People) -> People:
        present = people.get_account(account.account)
        if present.identities:
            raise AccessError(
                f"The account {account.account} belongs to another identity of a provider; ask an administrator."
            )
        return people.with_account(msgspec.structs.replace(present, identities=(identity,)))

    edit_people(data, account.to_person("oidc"), f"{account.account} is known to a provider", apply_identity)


def _validate_account(values: object) -> Account:
    try:
        return msgspec.convert(values, Account)
    except msgspec.ValidationError as error:
        raise AccessError(
            f"The account is invalid: {error}. A name consists of lower-case letters, digits and . _ @ -."
        ) from error


def _is_same_email(one: str | None, other: str) -> bool:
    return one is not None and one.casefold() == other.casefold()


def _now() -> datetime:
    return datetime.now(UTC).astimezone()
