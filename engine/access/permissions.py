"""What each role may do. Pages hide what somebody may not; this refuses it, however it is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from engine import audit
from engine.access.people import Account, Person, Role, get_single_user, read_people
from engine.errors import AccessError
from engine.storage.data_folder import DataFolder

Permission = Literal[
    "detect",
    "look",
    "amend",
    "judge",
    "draft",
    "sign-reviewed",
    "sign-approved",
    "sign-rejected",
    "release",
    "download",
    "analyse",
    "live",
    "audit",
    "purge",
    "people",
    "settings",
]

ROLES_BY_PERMISSION: Mapping[Permission, frozenset[Role]] = {
    "detect": frozenset({"operator"}),
    "look": frozenset({"operator", "reviewer", "approver"}),
    "amend": frozenset({"reviewer"}),
    "judge": frozenset({"reviewer", "approver"}),
    "draft": frozenset({"operator", "reviewer", "approver"}),
    "sign-reviewed": frozenset({"reviewer"}),
    "sign-approved": frozenset({"approver"}),
    "sign-rejected": frozenset({"reviewer", "approver"}),
    "release": frozenset({"approver"}),
    "download": frozenset({"operator", "reviewer", "approver"}),
    "analyse": frozenset({"analyst", "operator", "reviewer", "approver"}),
    "live": frozenset({"operator"}),
    "audit": frozenset({"approver", "administrator"}),
    "purge": frozenset({"administrator"}),
    "people": frozenset({"administrator"}),
    "settings": frozenset({"administrator"}),
}
"""Which roles may do what. An administrator keeps the accounts and sees no footage."""

_PERMISSION_PHRASES: Mapping[Permission, str] = {
    "detect": "start a detection",
    "look": "look at the frames of a source",
    "amend": "amend a record",
    "judge": "judge a finding",
    "draft": "render a draft",
    "sign-reviewed": "sign that a run was reviewed",
    "sign-approved": "approve a run",
    "sign-rejected": "reject a run",
    "release": "release a run",
    "download": "download an output",
    "analyse": "see the analysis",
    "live": "run the live mode",
    "audit": "read the audit log",
    "purge": "purge a run",
    "people": "change accounts",
    "settings": "change the policy",
}


def is_allowed(person: Person, permission: Permission) -> bool:
    """Whether one of the person's roles allows an action; for what is offered. Whoever does it asks again."""
    return not ROLES_BY_PERMISSION[permission].isdisjoint(person.roles)


def require_permission(person: Person, permission: Permission) -> None:
    """Refuse an action that none of the person's roles allows.

    Raises:
        AccessError: names the person, the action and the roles it takes.
    """
    if not is_allowed(person, permission):
        *others, last = sorted(ROLES_BY_PERMISSION[permission])
        needed = f"{', '.join(others)} or {last}" if others else last
        raise AccessError(f"{person.name} may not {_PERMISSION_PHRASES[permission]}; that takes the role {needed}.")


def authorise(data: DataFolder, person: Person, permission: Permission) -> Person:
    """Refuse an action that the person, as the accounts stand now, may not do; a refusal goes on record.

    Args:
        data: the data folder.
        person: as they signed in; roles may have changed since.
        permission: what they are about to do.

    Returns:
        The person with the roles of now.

    Raises:
        AccessError: none of their roles allows it, the account was disabled, or accounts were made since.
        AuditError: the refusal cannot be put on record.
    """
    try:
        present = refresh_person(data, person)
        require_permission(present, permission)
    except AccessError as error:
        audit.append(
            data.audit,
            audit.Event(actor=person.actor, kind="refusal", details={"action": permission}, reason=str(error)),
        )
        raise
    return present


def refresh_person(data: DataFolder, person: Person) -> Person:
    """The person as the accounts stand now.

    Raises:
        AccessError: the account is gone or disabled, or a single user works on where there are accounts now.
    """
    if person.how == "single-user":
        return msgspec.structs.replace(get_single_user(data), account=person.account, name=person.name)
    account = read_people(data).find_account(person.account)
    return require_enabled(account, person.account).to_person(person.how)


def require_enabled(account: Account | None, name: str) -> Account:
    """An account that is there and not disabled.

    Raises:
        AccessError: it is not.
    """
    if account is None or account.disabled:
        raise AccessError(f"The account {name} is disabled; ask an administrator.")
    return account
