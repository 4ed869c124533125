"""Names of accounts and people that cannot be mistaken for another's.

They are printed beside signatures and in certificates. Only new names are checked: an account is never removed, and
what it has signed stays valid.
"""

from __future__ import annotations

import unicodedata

from engine.access.people import Account, People
from engine.errors import AccessError

_LOOK_ALIKE_CHARACTERS = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", ".": "", "_": "", "-": ""})
"""Characters of account names that look like others, or that are overlooked."""
_ALIKE_SCRIPTS = {"LATIN", "CYRILLIC", "GREEK"}
"""Scripts with letters that look the same."""


def check_names(people: People, added: Account) -> None:
    """Refuse an account whose names look like those of another account, or hide something.

    Args:
        people: The accounts that exist.
        added: The new account.

    Raises:
        AccessError: A name has unprintable characters or letters of several scripts, or looks like another's; or the
            e-mail address is another account's.
    """
    # Marks that turn the direction of writing are not printable either.
    for label, text in (("account name", added.account), ("name", added.name)):
        if not text.isprintable() or text != " ".join(text.split()):
            raise AccessError(f"The {label} {text!r} has characters that cannot be seen, or too many spaces.")
    if len({_find_script(letter) for letter in added.name} & _ALIKE_SCRIPTS) > 1:
        raise AccessError(f"The name {added.name!r} mixes letters of several scripts, which look alike; use one.")
    for other in people.accounts:
        _compare_names(other, added)


def _compare_names(other: Account, added: Account) -> None:
    if _fold_account(other.account) == _fold_account(added.account):
        raise AccessError(f"The account name {added.account} looks like {other.account}; choose another.")
    if _fold_name(other.name) == _fold_name(added.name):
        raise AccessError(
            f"The name {added.name!r} is that of the account {other.account}. Signatures print it: add an initial or a "
            "department."
        )
    if added.email and other.email and added.email.casefold() == other.email.casefold():
        raise AccessError(f"The e-mail address {added.email} is that of the account {other.account}; give another.")


def _fold_account(account: str) -> str:
    return account.translate(_LOOK_ALIKE_CHARACTERS)


def _fold_name(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _find_script(letter: str) -> str:
    """Return the script of a letter, with which its Unicode name begins."""
    return unicodedata.name(letter, "").partition(" ")[0]
