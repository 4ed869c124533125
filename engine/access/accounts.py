"""Making and changing accounts, and checking who somebody is. Everything here goes on record; no password does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from engine import audit
from engine.access import lockout, passwords
from engine.access.people import Account, Identity, People, Person, Role, read_people
from engine.access.permissions import authorise, require_enabled
from engine.access.policy import Policy, read_policy
from engine.errors import AccessError
from engine.record import encode_document, sha256_hex
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file

_UNKNOWN_ACTOR = audit.Actor("", "unknown", "system")


def add_account(  # noqa: PLR0913 - the columns of an account
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
    """Make an account.

    Args:
        data: the data folder.
        by: an administrator; the single user for the first account, which must be an administrator's.
        account: its name, in small letters.
        name: of the person, as printed beside a signature.
        roles: what they may do.
        password: to sign in with; None for somebody who signs in by a provider only.
        email: by which a provider's first sign-in is recognised.
        identity: as a provider knows them.

    Raises:
        AccessError: `by` may not, the name is taken or is none, the password is too short, or nobody could get in.
        AuditError: it cannot be put on record.
    """
    authorise(data, by, "people")
    now = _now()
    values = {
        "account": account,
        "name": name,
        "roles": tuple(dict.fromkeys(roles)),
        "password": None if password is None else passwords.hash_password(password, _load_policy(data).password_length),
        "identities": () if identity is None else (msgspec.to_builtins(identity),),
        "email": email,
        "created": now,
        "password_set": None if password is None else now,
    }
    made = _validate_account(values)

    def apply_addition(people: People) -> People:
        if people.find_account(account):
            raise AccessError(f"There is an account {account} already; its name is never given to another person.")
        if not people.accounts and ("administrator" not in made.roles or password is None):
            raise AccessError("The first account must be an administrator's, with a password: nobody could add more.")
        return people.with_account(made)

    _edit_people(data, by, f"added {account}", apply_addition)
    return made


def disable_account(data: DataFolder, by: Person, account: str) -> None:
    """Keep somebody out from now on, also where they are signed in. The account and what it signed stay.

    Raises:
        AccessError: `by` may not, there is no such account, or no administrator would be left.
        AuditError: it cannot be put on record.
    """
    authorise(data, by, "people")

    def apply_disabling(people: People) -> People:
        changed = people.with_account(msgspec.structs.replace(people.get_account(account), disabled=True))
        if not any("administrator" in one.roles and not one.disabled for one in changed.accounts):
            raise AccessError(f"{account} is the last administrator; make another one first.")
        return changed

    _edit_people(data, by, f"disabled {account}", apply_disabling)


def change_password(data: DataFolder, by: Person, account: str, password: str) -> None:
    """Set a password, one's own or as an administrator; sessions that began before end.

    Raises:
        AccessError: `by` may not, there is no such account, or the password is too short.
        AuditError: it cannot be put on record.
    """
    if by.account != account:
        authorise(data, by, "people")
    kept = passwords.hash_password(password, _load_policy(data).password_length)
    now = _now()

    def apply_password(people: People) -> People:
        return people.with_account(
            msgspec.structs.replace(people.get_account(account), password=kept, password_set=now)
        )

    _edit_people(data, by, f"set the password of {account}", apply_password)
    lockout.clear_attempts(data, account)


def check_password(
    data: DataFolder, account: str, password: str, *, purpose: str, now: datetime | None = None
) -> Person:
    """The person whose account and password these are. A wrong one is counted, and goes on record.

    Args:
        data: the data folder.
        account: name of the account.
        password: as typed.
        purpose: what it is asked for, as "sign in" or "sign".
        now: the time; the machine's when left out.

    Raises:
        AccessError: it is nobody's, or the account is locked or disabled.
        AuditError: it cannot be put on record.
    """
    now, policy = now or _now(), read_policy(data)
    found = read_people(data).find_account(account)
    if found is None:
        passwords.matches_hash(password, None)
        # What was typed is not kept: it may be a password in the wrong field.
        raise _log_and_refuse(data, _UNKNOWN_ACTOR, purpose, "no such account")
    actor = found.to_person("account").actor
    try:
        count = lockout.count_attempt(data, policy, account, now)
    except AccessError as error:
        _log_failed_sign_in(data, actor, purpose, "locked")
        raise AccessError(str(error)) from error
    if not passwords.matches_hash(password, found.password):
        why = "wrong password" if count < policy.failures else "wrong password; the account is locked now"
        raise _log_and_refuse(data, actor, purpose, why)
    if found.disabled:
        raise _log_and_refuse(data, actor, purpose, "disabled")
    lockout.clear_attempts(data, account)
    return found.to_person("account")


def find_person_by_identity(
    data: DataFolder, identity: Identity, email: str | None, *, is_email_verified: bool
) -> Person:
    """The person whom a provider knows by this identity.

    An account that names the identity is theirs. Else one that names this e-mail address and no identity yet, if the
    provider has verified the address; the account then keeps the identity, so that the address alone opens it no more.

    Raises:
        AccessError: nobody here is known by it, or the account is disabled.
        AuditError: it cannot be put on record.
    """
    people = read_people(data)
    found = next((one for one in people.accounts if identity in one.identities), None)
    if found is None and email and is_email_verified:
        found = next((one for one in people.accounts if not one.identities and _is_same_email(one.email, email)), None)
        if found is not None:
            _bind_identity(data, found, identity)
    if found is None:
        _log_failed_sign_in(data, _UNKNOWN_ACTOR, "sign in", "no account for this identity")
        raise AccessError("Your sign-in is right, but nobody has given you an account here; ask an administrator.")
    return require_enabled(found, found.account).to_person("oidc")


def _bind_identity(data: DataFolder, account: Account, identity: Identity) -> None:
    def apply_identity(people: People) -> People:
        present = people.get_account(account.account)
        if present.identities:
            raise AccessError(f"The account {account.account} belongs to another identity of a provider.")
        return people.with_account(msgspec.structs.replace(present, identities=(identity,)))

    _edit_people(data, account.to_person("oidc"), f"{account.account} is known to a provider", apply_identity)


def _edit_people(data: DataFolder, by: Person, description: str, edit: Callable[[People], People]) -> None:
    with lockout.lock_access_folder(data):
        stored = encode_document(edit(read_people(data)))
        write_file(data.people, stored)
        data.people.chmod(0o600)
        audit.append(
            data.audit,
            audit.Event(
                actor=by.actor, kind="people", subjects={"people": sha256_hex(stored)}, details={"change": description}
            ),
        )


def _validate_account(values: object) -> Account:
    try:
        return msgspec.convert(values, Account)
    except msgspec.ValidationError as error:
        raise AccessError(f"An account cannot be like that: {error}. Its name has small letters and digits.") from error


def _log_and_refuse(data: DataFolder, actor: audit.Actor, purpose: str, reason: str) -> AccessError:
    _log_failed_sign_in(data, actor, purpose, reason)
    return AccessError("The account or the password is wrong.")


def _log_failed_sign_in(data: DataFolder, actor: audit.Actor, purpose: str, reason: str) -> None:
    audit.append(data.audit, audit.Event(actor=actor, kind="sign-in-failed", details={"to": purpose}, reason=reason))


def _load_policy(data: DataFolder) -> Policy:
    return read_policy(data)


def _is_same_email(one: str | None, other: str) -> bool:
    return one is not None and one.casefold() == other.casefold()


def _now() -> datetime:
    return datetime.now(UTC).astimezone()
