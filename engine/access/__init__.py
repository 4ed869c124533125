"""Access control: accounts, roles and permissions, sessions, the policy with its four-eyes rule."""

from engine.access.accounts import (
    add_account,
    change_password,
    check_password,
    disable_account,
    find_person_by_identity,
)
from engine.access.listen_address import check_listen_address
from engine.access.people import ROLES, Account, Identity, People, Person, Role, get_single_user, read_people
from engine.access.permissions import Permission, authorise, is_allowed, require_permission
from engine.access.policy import Persons, Policy, read_policy, set_policy
from engine.access.sessions import (
    Credential,
    Password,
    ProviderLogin,
    Session,
    reauthenticate,
    record_provider_refusal,
    sign_in,
    sign_in_by_provider,
    sign_out,
    touch,
)

__all__ = [
    "ROLES",
    "Account",
    "Credential",
    "Identity",
    "Password",
    "People",
    "Permission",
    "Person",
    "Persons",
    "Policy",
    "ProviderLogin",
    "Role",
    "Session",
    "add_account",
    "authorise",
    "change_password",
    "check_listen_address",
    "check_password",
    "disable_account",
    "find_person_by_identity",
    "get_single_user",
    "is_allowed",
    "read_people",
    "read_policy",
    "reauthenticate",
    "record_provider_refusal",
    "require_permission",
    "set_policy",
    "sign_in",
    "sign_in_by_provider",
    "sign_out",
    "touch",
]
