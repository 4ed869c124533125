"""Access control: accounts, roles and permissions, sessions, the policy with its four-eyes rule."""

from engine.access.accounts import (
    add_account,
    change_password,
    disable_account,
    find_person_by_identity,
)
from engine.access.credentials import Credential, Password, ProviderLogin, check_password
from engine.access.listen_address import check_listen_address
from engine.access.people import ROLES, Account, Identity, People, Person, Role, get_single_user, read_people
from engine.access.permissions import Permission, authorise, is_allowed, require_permission
from engine.access.policy import Persons, Policy, read_policy, set_policy
from engine.access.second_factor import (
    SecondFactorRequiredError,
    add_second_factor,
    build_app_address,
    create_secret,
    is_second_factor_in_use,
    remove_second_factor,
    renew_recovery_codes,
)
from engine.access.sessions import (
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
    "SecondFactorRequiredError",
    "Session",
    "add_account",
    "add_second_factor",
    "authorise",
    "build_app_address",
    "change_password",
    "check_listen_address",
    "check_password",
    "create_secret",
    "disable_account",
    "find_person_by_identity",
    "get_single_user",
    "is_allowed",
    "is_second_factor_in_use",
    "read_people",
    "read_policy",
    "reauthenticate",
    "record_provider_refusal",
    "remove_second_factor",
    "renew_recovery_codes",
    "require_permission",
    "set_policy",
    "sign_in",
    "sign_in_by_provider",
    "sign_out",
    "touch",
]
