"""Who works at the command line, and `veil users`. Passwords are typed or piped in, never arguments."""

from __future__ import annotations

from argparse import SUPPRESS, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine import access
from engine.access import Person
from engine.cli.terminal import Terminal
from engine.record import Document
from engine.storage.files import Data, data_folder

if TYPE_CHECKING:
    from engine.cli.arguments import Adder
from engine.cli.arguments import add_person
from engine.cli.identity import secret, session_of


def add_arguments(actions: Adder) -> None:
    """The arguments of `veil users`."""
    add = actions.add_parser("add", help="make an account; its password is asked for")
    add.add_argument("account")
    add.add_argument("--name", required=True, help="of the person, as printed beside a signature")
    add.add_argument("--role", dest="roles", action="append", choices=access.ROLES, required=True)
    add.add_argument("--email", help="by which the first sign-in at an OpenID provider is recognised")
    add.add_argument("--no-password", action="store_true", help="for somebody who signs in by a provider only")
    add.set_defaults(verb=_add)
    disable = actions.add_parser("disable", help="keep somebody out; what they signed stays")
    disable.add_argument("account")
    disable.set_defaults(verb=_disable)
    passwd = actions.add_parser("passwd", help="set a password; it is asked for")
    passwd.add_argument("account")
    passwd.set_defaults(verb=_passwd)
    policy = actions.add_parser("policy", help="show the rules, or set how many persons a release takes")
    policy.add_argument("--persons", choices=("one", "two", "three"))
    policy.set_defaults(verb=_policy)
    shown = actions.add_parser("list", help="show the accounts")
    shown.set_defaults(verb=show)
    for parser in (add, disable, passwd, policy, shown):
        add_person(parser)
        parser.add_argument("--json", action="store_true", default=SUPPRESS, help="print the result as JSON")
        parser.add_argument("--data", type=Path, metavar="FOLDER", help="data folder (default: $VEIL_DATA, else data)")


class Listed(Document, frozen=True):
    """An account as it is shown."""

    account: str
    name: str
    roles: tuple[access.Role, ...]
    disabled: bool
    signs_in: tuple[str, ...]


def _person(data: Data, options: Namespace) -> Person:
    return session_of(data, options)[0].person


def _add(options: Namespace, terminal: Terminal) -> int:
    data = data_folder(options.data)
    by = _person(data, options)
    password = None if options.no_password else secret(f"Password for {options.account}: ")
    made = access.add(
        data, by, options.account, name=options.name, roles=options.roles, password=password, email=options.email
    )
    terminal.result(_listed(made), f"{made.name} has the account {made.account}: {', '.join(made.roles)}")
    return 0


def _disable(options: Namespace, terminal: Terminal) -> int:
    data = data_folder(options.data)
    access.disable(data, _person(data, options), options.account)
    terminal.result({"disabled": options.account}, f"{options.account} is disabled.")
    return 0


def _passwd(options: Namespace, terminal: Terminal) -> int:
    data = data_folder(options.data)
    by = _person(data, options)
    access.change_password(data, by, options.account, secret(f"New password for {options.account}: "))
    terminal.result({"changed": options.account}, f"{options.account} has a new password.")
    return 0


def _policy(options: Namespace, terminal: Terminal) -> int:
    data = data_folder(options.data)
    policy = access.read_policy(data)
    if options.persons is not None:
        policy = msgspec.structs.replace(policy, persons=options.persons)
        access.set_policy(data, _person(data, options), policy)
    terminal.result(
        policy, f"A release takes {policy.persons} person{'' if policy.persons == 'one' else 's'} at least."
    )
    return 0


def show(options: Namespace, terminal: Terminal) -> int:
    """`veil users list`."""
    found = tuple(map(_listed, access.read_people(data_folder(options.data)).accounts))
    terminal.result(found, "\n".join(map(_line, found)) or "There are no accounts: a single user works here.")
    return 0


def _listed(account: access.Account) -> Listed:
    ways = ("password",) * (account.password is not None) + tuple(one.issuer for one in account.identities)
    return Listed(account.account, account.name, account.roles, account.disabled, ways)


def _line(one: Listed) -> str:
    return f"{one.account}  {one.name}  {', '.join(one.roles)}{'  (disabled)' if one.disabled else ''}"
