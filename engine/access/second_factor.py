"""The second factor of an account: codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

An account that has one needs a code besides the password to sign in and for every signature; the policy says which
roles must have one. A code is accepted once. This is the only module that knows the library.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from engine.access.edit_people import edit_people
from engine.access.folder_lock import lock_access_folder
from engine.access.people import Account, People, Person, SecondFactor, read_people
from engine.access.permissions import authorise
from engine.access.policy import read_policy
from engine.core.json_decoder import decode_json
from engine.errors import AccessError
from engine.record import Count, Document, Sha256, encode_document, sha256_hex
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file

if TYPE_CHECKING:
    from pyotp import TOTP

ISSUER = "Veil"
"""The name under which an authenticator app shows the account."""
_PERIOD_PREFIX = "period "
_STEPS = (0, -1, 1)
"""Periods of 30 seconds, from the current one, whose code is accepted: clocks differ, and typing takes time."""
_CODE_PATTERN = re.compile(r"[0-9]{6}")
_RECOVERY_CODE_COUNT = 10
_RECOVERY_CODE_BYTES = 10
"""80 random bits: too many to guess, so that a plain hash protects them."""


class CodeError(AccessError):
    """A code was refused; the message is a reason for the log, not for the person."""


class SecondFactorRequiredError(AccessError):
    """The policy asks for a second factor, and the account has none."""


class UsedCodes(Document, frozen=True):
    """The newest period whose code was used, by account; older codes are refused as well."""

    accounts: Mapping[str, Count] = {}


def is_second_factor_in_use(data: DataFolder) -> bool:
    """Whether an account has a second factor, or the policy asks a role for one."""
    return bool(read_policy(data).second_factor_roles) or any(
        account.second_factor for account in read_people(data).accounts
    )


def require_second_factor(data: DataFolder, account: Account) -> None:
    """Refuse an account that lacks the second factor that the policy asks for.

    Raises:
        SecondFactorRequiredError: It lacks one.
    """
    if account.second_factor is None and read_policy(data).requires_second_factor(account):
        raise SecondFactorRequiredError(
            f"Your organisation requires a second factor. Set it up in the workbench, or with veil users second-factor "
            f"{account.account} --as {account.account}."
        )


def create_secret() -> str:
    """Return a new secret in base 32, for the authenticator app and for `add_second_factor`."""
    import pyotp  # noqa: PLC0415 - rendering and verifying do without it

    return pyotp.random_base32()


def build_app_address(account: str, secret: str) -> str:
    """Return the address (otpauth://) that an authenticator app reads from a QR code."""
    return _make_generator(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def add_second_factor(
    data: DataFolder, by: Person, secret: str, code: str, *, now: datetime | None = None
) -> tuple[str, ...]:
    """Set up the second factor of one's own account; sessions that began without it end.

    Args:
        data: The data folder.
        by: The owner of the account, who has just proved it.
        secret: A secret of `create_secret`, which the app has.
        code: The current code of the app, which shows that it has the secret.
        now: The time; that of the machine if omitted.

    Returns:
        The recovery codes. They are shown once; only hashes are kept.

    Raises:
        AccessError: The person signs in without a password, or the code is wrong.
        AuditError: The change cannot be logged.
    """
    now = now or datetime.now(UTC).astimezone()
    if by.how != "account":
        raise AccessError("Only an account with a password has a second factor in Veil; a provider has its own.")
    step = _find_step(secret, _normalise(code), now)
    if step is None:
        raise AccessError("The code is wrong. Check that the clock of your phone is right, and enter the newest code.")
    recovery_codes = _create_recovery_codes()
    factor = SecondFactor(secret, now, _hash_recovery_codes(by.account, recovery_codes))
    _replace_factor(data, by, by.account, factor, "set up the second factor of")
    with lock_access_folder(data):
        _write_step(data, by.account, step)
    return recovery_codes


def renew_recovery_codes(data: DataFolder, by: Person) -> tuple[str, ...]:
    """Replace the recovery codes of one's own account; the former ones are worth nothing any more.

    Raises:
        AccessError: The account has no second factor.
        AuditError: The change cannot be logged.
    """
    factor = read_people(data).get_account(by.account).second_factor
    if factor is None:
        raise AccessError(f"The account {by.account} has no second factor; set it up first.")
    recovery_codes = _create_recovery_codes()
    hashes = _hash_recovery_codes(by.account, recovery_codes)
    _replace_factor(
        data, by, by.account, msgspec.structs.replace(factor, recovery=hashes), "made new recovery codes of"
    )
    return recovery_codes


def remove_second_factor(data: DataFolder, by: Person, account: str) -> None:
    """Remove a second factor, as its owner or as an administrator, for example because the phone is lost.

    Raises:
        AccessError: `by` may not remove it, or the policy asks its owner for one.
        AuditError: The change cannot be logged.
    """
    found = read_people(data).get_account(account)
    if by.account != account:
        authorise(data, by, "people")
    elif read_policy(data).requires_second_factor(found):
        raise AccessError("Your organisation requires a second factor; set up a new one instead of removing it.")
    _replace_factor(data, by, account, None, "removed the second factor of")


def use_code(
    data: DataFolder, account: Account, typed: str | None, now: datetime, *, accepted_code_id: str | None = None
) -> str:
    """Check a code of an account and use it up.

    Args:
        data: The data folder.
        account: The account, which has a second factor.
        typed: The code as typed: of the app, or a recovery code.
        now: The time.
        accepted_code_id: A code that is accepted although it was used.

    Returns:
        What names the code: its period or its hash.

    Raises:
        CodeError: The code is missing or wrong, or was used before.
        AuditError: The use of a recovery code cannot be logged.
    """
    factor, code = account.second_factor, _normalise(typed or "")
    if factor is None or not code:
        raise CodeError("no code of the second factor")
    if not _CODE_PATTERN.fullmatch(code):
        return _use_recovery_code(data, account, code, accepted_code_id)
    # However long ago: the source that the session's command signs may be large.
    if accepted_code_id is not None and _is_code_of(accepted_code_id, factor.secret, code):
        return accepted_code_id
    step = _find_step(factor.secret, code, now)
    if step is None:
        raise CodeError("wrong code of the second factor")
    code_id = f"{_PERIOD_PREFIX}{step}"
    # Compared and written under one lock: of two requests with the same code, one is refused.
    with lock_access_folder(data):
        if step <= _read_used_codes(data).accounts.get(account.account, 0):
            raise CodeError("code of the second factor used before")
        _write_step(data, account.account, step)
    return code_id


def _is_code_of(code_id: str, secret: str, code: str) -> bool:
    period = code_id.removeprefix(_PERIOD_PREFIX)
    return period != code_id and hmac.compare_digest(_make_generator(secret).generate_otp(int(period)), code)


def _use_recovery_code(data: DataFolder, account: Account, code: str, accepted_code_id: str | None) -> str:
    sha256 = _hash_recovery_code(account.account, code)
    if sha256 == accepted_code_id:
        return sha256

    def remove_code(people: People) -> People:
        present = people.get_account(account.account)
        factor = present.second_factor
        # Looked for again in the file as it is now: a code that two requests bring at once is used by one.
        if factor is None or sha256 not in factor.recovery:
            raise CodeError("wrong recovery code")
        left = tuple(one for one in factor.recovery if one != sha256)
        changed = msgspec.structs.replace(factor, recovery=left)
        return people.with_account(msgspec.structs.replace(present, second_factor=changed))

    edit_people(data, account.to_person("account"), f"{account.account} used a recovery code", remove_code)
    return sha256


def _replace_factor(data: DataFolder, by: Person, account: str, factor: SecondFactor | None, change: str) -> None:
    def apply_factor(people: People) -> People:
        return people.with_account(msgspec.structs.replace(people.get_account(account), second_factor=factor))

    edit_people(data, by, f"{change} {account}", apply_factor)


def _find_step(secret: str, code: str, now: datetime) -> int | None:
    """Return the period whose code this is; None if it is of none that is accepted."""
    app = _make_generator(secret)
    current = app.timecode(now)
    matching = [current + step for step in _STEPS if hmac.compare_digest(app.generate_otp(current + step), code)]
    return max(matching, default=None)


def _normalise(typed: str) -> str:
    """Return a code without the spaces and dashes that make it readable."""
    return re.sub(r"[\s-]", "", typed).upper()[:64]


def _create_recovery_codes() -> tuple[str, ...]:
    codes = (base64.b32encode(secrets.token_bytes(_RECOVERY_CODE_BYTES)).decode() for _ in range(_RECOVERY_CODE_COUNT))
    return tuple("-".join(re.findall("....", code)) for code in codes)


def _hash_recovery_codes(account: str, codes: tuple[str, ...]) -> tuple[Sha256, ...]:
    return tuple(_hash_recovery_code(account, _normalise(code)) for code in codes)


def _hash_recovery_code(account: str, code: str) -> Sha256:
    return sha256_hex(f"veil recovery code\n{account}\n{code}".encode())


def _read_used_codes(data: DataFolder) -> UsedCodes:
    path = data.used_codes
    try:
        return decode_json(path.read_bytes(), type=UsedCodes)
    except FileNotFoundError:
        return UsedCodes()
    except (OSError, msgspec.MsgspecError) as error:
        # Not taken for an empty table: codes that were used would be accepted again.
        raise AccessError(f"{path} cannot be read ({error}). Find out why, then remove it.") from error


def _write_step(data: DataFolder, account: str, step: int) -> None:
    accounts = _read_used_codes(data).accounts
    write_file(data.used_codes, encode_document(UsedCodes({**accounts, account: step})))


def _make_generator(secret: str) -> TOTP:
    import pyotp  # noqa: PLC0415 - rendering and verifying do without it

    return pyotp.TOTP(secret)
