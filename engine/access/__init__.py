"""Who somebody is and what they may do: accounts, roles, sessions, the rule of four eyes."""

from engine.access.accounts import add, change_password, check_password, disable, known_by
from engine.access.listen_address import check_address
from engine.access.people import ROLES, Account, Identity, People, Person, Role, read_people, single_user
from engine.access.permissions import Action, authorise, may, require
from engine.access.policy import Persons, Policy, read_policy, set_policy
from engine.access.sessions import (
    Credential,
    Login,
    Password,
    Session,
    confirm,
    sign_in,
    sign_in_by_provider,
    sign_out,
    touch,
)

__all__ = [
    "ROLES",
    "Account",
    "Action",
    "Credential",
    "Identity",
    "Login",
    "Password",
    "People",
    "Person",
    "Persons",
    "Policy",
    "Role",
    "Session",
    "add",
    "authorise",
    "change_password",
    "check_address",
    "check_password",
    "confirm",
    "disable",
    "known_by",
    "may",
    "read_people",
    "read_policy",
    "require",
    "set_policy",
    "sign_in",
    "sign_in_by_provider",
    "sign_out",
    "single_user",
    "touch",
]
