"""Roles and permissions. Pages hide actions that are not allowed; the functions here refuse them for every caller."""

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
"""The roles that give each permission. An administrator manages accounts and sees no footage."""

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
    """Whether a role of the person allows an action, for what a page offers; `authorise` guards the action itself."""
    return not ROLES_BY_PERMISSION[permission].isdisjoint(person.roles)


def require_permission(person: Person, permission: Permission) -> None:
    """Refuse an action that no role of the person allows.

    Raises:
        AccessError: No role allows it; the sentence names the person, the action and the roles needed.
    """
    if not is_allowed(person, permission):
        *others, last = sorted(ROLES_BY_PERMISSION[permission])
        needed = f"{', '.join(others)} or {last}" if others else last
        raise AccessError(f"{person.name} may not {_PERMISSION_PHRASES[permission]}; this needs the role {needed}.")


def authorise(data: DataFolder, person: Person, permission: Permission) -> Person:
    """Refuse an action that the person's current roles do not allow, and log the refusal.

    Args:
        data: The data folder.
        person: The person as they signed in; their roles may have changed since.
        permission: The action.

    Returns:
        The person with their current roles.

    Raises:
        AccessError: No role allows it, the account was disabled, or accounts were added to a single-user installation.
        AuditError: The refusal cannot be logged.
    """
    # Roles are read from the file at every action: a role taken away, or an account disabled, has effect at once and
    # not only at the next sign-in.
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
    """Return the person with their current roles.

    Raises:
        AccessError: The account is missing or disabled, or accounts were added to a single-user installation.
    """
    if person.how == "single-user":
        return msgspec.structs.replace(get_single_user(data), account=person.account, name=person.name)
    account = read_people(data).find_account(person.account)
    return require_enabled(account, person.account).to_person(person.how)


def require_enabled(account: Account | None, name: str) -> Account:
    """Return the account.

    Raises:
        AccessError: There is no account, or it is disabled.
    """
    if account is None or account.disabled:
        raise AccessError(f"The account {name} is disabled; ask an administrator.")
    return account
