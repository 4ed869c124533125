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
from engine.storage.data_folder import DataFolder, find_data_folder

if TYPE_CHECKING:
    from engine.cli.arguments import Subparsers
from engine.cli.arguments import add_person_option
from engine.cli.identity import open_session, read_password


def add_arguments(actions: Subparsers) -> None:
    """The arguments of `veil users`."""
    add = actions.add_parser("add", help="make an account; its password is asked for")
    add.add_argument("account")
    add.add_argument("--name", required=True, help="of the person, as printed beside a signature")
    add.add_argument("--role", dest="roles", action="append", choices=access.ROLES, required=True)
    add.add_argument("--email", help="by which the first sign-in at an OpenID provider is recognised")
    add.add_argument("--no-password", action="store_true", help="for somebody who signs in by a provider only")
    add.set_defaults(verb=_add_account)
    disable = actions.add_parser("disable", help="keep somebody out; what they signed stays")
    disable.add_argument("account")
    disable.set_defaults(verb=_disable_account)
    passwd = actions.add_parser("passwd", help="set a password; it is asked for")
    passwd.add_argument("account")
    passwd.set_defaults(verb=_change_password)
    policy = actions.add_parser("policy", help="show the rules, or set how many persons a release takes")
    policy.add_argument("--persons", choices=("one", "two", "three"))
    policy.set_defaults(verb=_show_or_set_policy)
    shown = actions.add_parser("list", help="show the accounts")
    shown.set_defaults(verb=list_accounts)
    for parser in (add, disable, passwd, policy, shown):
        add_person_option(parser)
        parser.add_argument("--json", action="store_true", default=SUPPRESS, help="print the result as JSON")
        parser.add_argument("--data", type=Path, metavar="FOLDER", help="data folder (default: $VEIL_DATA, else data)")


class AccountSummary(Document, frozen=True):
    """An account as it is shown."""

    account: str
    name: str
    roles: tuple[access.Role, ...]
    disabled: bool
    signs_in: tuple[str, ...]


def _identify_person(data: DataFolder, options: Namespace) -> Person:
    return open_session(data, options)[0].person


def _add_account(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    by = _identify_person(data, options)
    password = None if options.no_password else read_password(f"Password for {options.account}: ")
    made = access.add_account(
        data, by, options.account, name=options.name, roles=options.roles, password=password, email=options.email
    )
    terminal.print_result(
        _summarise_account(made), f"{made.name} has the account {made.account}: {', '.join(made.roles)}"
    )
    return 0


def _disable_account(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    access.disable_account(data, _identify_person(data, options), options.account)
    terminal.print_result({"disabled": options.account}, f"{options.account} is disabled.")
    return 0


def _change_password(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    by = _identify_person(data, options)
    access.change_password(data, by, options.account, read_password(f"New password for {options.account}: "))
    terminal.print_result({"changed": options.account}, f"{options.account} has a new password.")
    return 0


def _show_or_set_policy(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    policy = access.read_policy(data)
    if options.persons is not None:
        policy = msgspec.structs.replace(policy, persons=options.persons)
        access.set_policy(data, _identify_person(data, options), policy)
    terminal.print_result(
        policy, f"A release takes {policy.persons} person{'' if policy.persons == 'one' else 's'} at least."
    )
    return 0


def list_accounts(options: Namespace, terminal: Terminal) -> int:
    """`veil users list`."""
    found = tuple(map(_summarise_account, access.read_people(find_data_folder(options.data)).accounts))
    terminal.print_result(
        found, "\n".join(map(_format_account, found)) or "There are no accounts: a single user works here."
    )
    return 0


def _summarise_account(account: access.Account) -> AccountSummary:
    ways = ("password",) * (account.password is not None) + tuple(one.issuer for one in account.identities)
    return AccountSummary(account.account, account.name, account.roles, account.disabled, ways)


def _format_account(account: AccountSummary) -> str:
    return f"{account.account}  {account.name}  {', '.join(account.roles)}{'  (disabled)' if account.disabled else ''}"
