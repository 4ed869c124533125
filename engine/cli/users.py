"""`veil users`: accounts and the policy. Passwords are typed or piped in, never arguments."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence

import msgspec

from engine import access
from engine.access.live_sources import is_restricted, read_live_sources, set_live_source
from engine.cli import arguments
from engine.cli.command import Command
from engine.cli.identity import identify_person, open_session, read_code, read_password
from engine.cli.qr_code import build_terminal_code
from engine.cli.terminal import Terminal
from engine.core.addresses import strip_credentials
from engine.core.wording import format_count
from engine.errors import InputError
from engine.record import Document
from engine.storage.data_folder import DataFolder, find_data_folder

_PERSONS: dict[access.Persons, int] = {"one": 1, "two": 2, "three": 3}
_THRESHOLDS: Mapping[str, tuple[str, str]] = {
    "items-decided": ("min_items_percent", "items to check that must be decided before a review is signed"),
    "frames-viewed": ("min_frames_percent", "frames that must have been viewed before a review is signed"),
    "risk-viewed": ("min_risk_percent", "risk of all items that must have been viewed before a review is signed"),
    "approver-frames": ("min_approver_frames_percent", "frames that the approver must have viewed"),
}
"""The options that set a threshold of the policy: its field, and what it means."""


class AccountSummary(Document, frozen=True):
    """An account as it is shown, without its password hash.

    Attributes:
        account: its name.
        name: of the person.
        roles: of the account.
        disabled: whether it is blocked.
        signs_in: "password" and the issuers of OpenID providers by which the person can sign in.
        second_factor: whether the account has a second factor.
    """

    account: str
    name: str
    roles: tuple[access.Role, ...]
    disabled: bool
    signs_in: tuple[str, ...]
    second_factor: bool

    @classmethod
    def from_account(cls, account: access.Account) -> AccountSummary:
        """Summarise an account."""
        issuers = (identity.issuer for identity in account.identities)
        signs_in = (*(("password",) if account.password is not None else ()), *issuers)
        has_factor = account.second_factor is not None
        return cls(account.account, account.name, account.roles, account.disabled, signs_in, has_factor)

    def to_text(self) -> str:
        """Format the account as one line."""
        notes = "  (second factor)" * self.second_factor + "  (disabled)" * self.disabled
        return f"{self.account}  {self.name}  {', '.join(self.roles)}{notes}"


def _add_new_account_arguments(parser: ArgumentParser) -> None:
    _add_account_arguments(parser)
    parser.add_argument("--name", required=True, help="name of the person, as printed next to a signature")
    parser.add_argument(
        "--role", dest="roles", action="append", choices=access.ROLES, required=True, help="role; can be repeated"
    )
    parser.add_argument("--email", help="address that identifies the person at the first sign-in by an OpenID provider")
    parser.add_argument("--no-password", action="store_true", help="for a person who signs in by a provider only")


def _add_account(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    # The acting person comes first: from a pipe, the first line is their password and the second the new one.
    person = identify_person(data, options)
    password = None if options.no_password else read_password(f"Password for {options.account}: ")
    is_first = not access.read_people(data).accounts
    account = access.add_account(
        data, person, options.account, name=options.name, roles=options.roles, password=password, email=options.email
    )
    if is_first:
        terminal.notice(
            f"From now on a command needs --as {account.account}, which asks for the password, and the workbench asks "
            "people to sign in."
        )
    terminal.print_result(
        AccountSummary.from_account(account),
        f"{account.name} has the account {account.account}: {', '.join(account.roles)}",
    )
    return 0


def _add_account_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("account", help="name of the account")
    arguments.add_account_option(parser)


def _disable_account(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    access.disable_account(data, identify_person(data, options), options.account)
    terminal.print_result({"disabled": options.account}, f"{options.account} is disabled.")
    return 0


def _change_password(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    person = identify_person(data, options)
    access.change_password(data, person, options.account, read_password(f"New password for {options.account}: "))
    terminal.print_result({"changed": options.account}, f"{options.account} has a new password.")
    return 0


def _add_second_factor_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("account", help="name of the account; your own, except with --remove")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--recovery-codes", action="store_true", help="make new recovery codes; the old ones end")
    action.add_argument("--remove", action="store_true", help="remove it, for example because the phone is lost")
    arguments.add_account_option(parser)


def _change_second_factor(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    session, _ = open_session(data, options, sets_up_second_factor=not options.remove)
    person, account = session.person, options.account
    if options.remove:
        access.remove_second_factor(data, person, account)
        terminal.print_result({"removed": account}, f"{account} has no second factor any more.")
        return 0
    if person.account != account:
        raise InputError(f"Only {account} can set up that second factor: give --as {account}.")
    if options.recovery_codes:
        codes = access.renew_recovery_codes(data, person)
    else:
        codes = _set_up_second_factor(data, person, terminal)
    lines = "\n".join(codes)
    terminal.print_result(
        {"account": account, "recovery_codes": codes},
        f"{account} signs in and signs with a code from now on. Keep these recovery codes in a safe place. Each works "
        f"once in place of a code:\n{lines}",
    )
    return 0


def _set_up_second_factor(data: DataFolder, person: access.Person, terminal: Terminal) -> tuple[str, ...]:
    if person.how != "account":
        raise InputError("Without accounts there is no sign-in, and so no second factor.")
    secret = access.create_secret()
    address = access.build_app_address(person.account, secret)
    terminal.notice("Scan the picture with an authenticator app, or enter the key by hand.")
    # To the person, not to what reads the result; a picture is of no use in a file.
    if sys.stderr.isatty():
        print(build_terminal_code(address), file=sys.stderr)
    terminal.notice(f"Key: {secret}")
    return access.add_second_factor(data, person, secret, read_code("Code that the app shows: "))


def _add_live_source_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="name of the source, as operators choose it; without it, list all")
    parser.add_argument("address", nargs="?", help="camera, stream address, file, or folder whose files are allowed")
    parser.add_argument("--remove", action="store_true", help="take the source off the list")
    arguments.add_account_option(parser)


def _change_live_sources(options: Namespace, terminal: Terminal) -> int:
    data, name, address = find_data_folder(options.data), options.name, options.address
    if name is not None:
        if (address is None) != options.remove:
            raise InputError(
                "Give the name with an address to list a source, or with --remove to take it off the list."
            )
        sources = set_live_source(data, identify_person(data, options), name, address)
    else:
        sources = read_live_sources(data)
    shown = [{"name": source.name, "address": strip_credentials(source.address)} for source in sources]
    lines = [f"{source['name']}  {source['address']}" for source in shown]
    if not lines and is_restricted(data):
        lines = ["Nothing is listed: Live opens videos of the library, and the camera of the browser."]
    terminal.print_result(shown, "\n".join(lines) or "Nothing is listed: without accounts, Live opens any source.")
    return 0


def _add_policy_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--persons", choices=tuple(_PERSONS), help="how many different people a release needs at least")
    for option, (field, text) in _THRESHOLDS.items():
        parser.add_argument(f"--{option}", dest=field, type=int, metavar="PERCENT", help=text)
    parser.add_argument(
        "--second-factor",
        type=_parse_roles,
        metavar="ROLES",
        help="roles that need a second factor, joined by commas; all; none",
    )
    parser.add_argument(
        "--random-sample", choices=("yes", "no"), help="require a random sample check of the amendments"
    )
    arguments.add_account_option(parser)


def _show_or_set_policy(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    policy = access.read_policy(data)
    # Only a change needs a person who is signed in; everyone with access to the data folder can read the policy.
    changes = {
        name: value
        for name in ("persons", *(field for field, _ in _THRESHOLDS.values()))
        if (value := getattr(options, name)) is not None
    }
    if options.random_sample is not None:
        changes["random_sample"] = options.random_sample == "yes"
    if options.second_factor is not None:
        changes["second_factor_roles"] = options.second_factor
    if changes:
        policy = _change_policy(policy, changes)
        access.set_policy(data, identify_person(data, options), policy)
    terminal.print_result(policy, _describe_policy(policy))
    return 0


def _change_policy(policy: access.Policy, changes: Mapping[str, object]) -> access.Policy:
    try:
        return msgspec.convert({**msgspec.to_builtins(policy), **changes}, access.Policy)
    except msgspec.ValidationError as error:
        raise InputError(f"The policy cannot be set so: {error}. Shares are in per cent, from 0 to 100.") from error


def _describe_policy(policy: access.Policy) -> str:
    sample = "needs" if policy.random_sample else "does not need"
    people = format_count(_PERSONS[policy.persons], "person", "different people")
    return (
        f"A release needs at least {people}.\n"
        f"A review needs {policy.min_items_percent} % of the items decided, {policy.min_frames_percent} % of the "
        f"frames and {policy.min_risk_percent} % of the risk viewed. It {sample} a random sample check.\n"
        f"An approval needs the same, and {policy.min_approver_frames_percent} % of the frames viewed by the "
        "approver.\n"
        "Below that, a signature needs a confirmation and a reason.\n"
        f"{_describe_second_factor(policy.second_factor_roles)}"
    )


def _parse_roles(text: str) -> tuple[access.Role, ...]:
    if text in {"all", "none"}:
        return access.ROLES if text == "all" else ()
    wanted = {part.strip() for part in text.split(",")}
    if unknown := wanted - set(access.ROLES):
        raise ArgumentTypeError(
            f"must be all, none, or roles joined by commas ({', '.join(access.ROLES)}), got {min(unknown)!r}"
        )
    return tuple(role for role in access.ROLES if role in wanted)


def _describe_second_factor(roles: Sequence[access.Role]) -> str:
    if not roles:
        return "A second factor is needed by those who have set one up."
    return f"A second factor is needed by those who have set one up, and by these roles: {', '.join(roles)}."


def _list_accounts(options: Namespace, terminal: Terminal) -> int:
    accounts = tuple(
        AccountSummary.from_account(account) for account in access.read_people(find_data_folder(options.data)).accounts
    )
    terminal.print_result(
        accounts,
        "\n".join(account.to_text() for account in accounts)
        or "There are no accounts; this data folder is used by a single person.",
    )
    return 0


COMMANDS = {
    "users add": Command(_add_new_account_arguments, _add_account),
    "users disable": Command(_add_account_arguments, _disable_account),
    "users passwd": Command(_add_account_arguments, _change_password),
    "users second-factor": Command(_add_second_factor_arguments, _change_second_factor),
    "users policy": Command(_add_policy_arguments, _show_or_set_policy),
    "users live-sources": Command(_add_live_source_arguments, _change_live_sources),
    "users list": Command(arguments.add_account_option, _list_accounts),
}
