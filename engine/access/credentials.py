"""The credentials of people, and the check of those that are not a provider's. Every failure is counted and logged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine import audit
from engine.access import lockout, passwords, second_factor
from engine.access.people import Identity, Person, read_people
from engine.access.policy import read_policy
from engine.access.refusal_limit import count_refusal
from engine.access.second_factor import CodeError
from engine.audit.entry import DetailValue
from engine.errors import AccessError
from engine.record import Document, Timestamp
from engine.storage.data_folder import DataFolder

_MAX_CODE_AGE = timedelta(minutes=30)
"""Longest time from the typing of a code to its check: the time for which a large source is hashed."""
UNKNOWN_ACTOR = audit.Actor("", "unknown", "system")
"""Who is named for a failure that no account can be named for."""


class Password(Document, frozen=True):
    """A credential of a local account.

    Attributes:
        password: The password as typed.
        account: Name of the account; may be omitted after the first signature of a session.
        code: Code of the authenticator app, or a recovery code, if the account has a second factor.
        typed_at: When it was typed, as the program that took it states; None: just now. A signature hashes the source
            first, which may take longer than a code lasts.
    """

    password: str
    account: str | None = None
    code: str | None = None
    typed_at: Timestamp | None = None

    def __repr__(self) -> str:
        # Error messages and tracebacks print values; a password must be in none of them.
        return "Password(...)"


class ProviderLogin(Document, frozen=True):
    """The claims of an OpenID provider about a person, after its token was verified.

    Attributes:
        issuer: Claim `iss`.
        subject: Claim `sub`.
        at: Claim `auth_time`: when the person gave the provider their credential.
        email: Claim `email`.
        verified: Claim `email_verified`.
    """

    issuer: str
    subject: str
    at: Timestamp
    email: str | None = None
    verified: bool = False

    @property
    def identity(self) -> Identity:
        """The identity of the person at the provider."""
        return Identity(self.issuer, self.subject)


Credential = Password | ProviderLogin


@dataclass(frozen=True, slots=True)
class CheckedPassword:
    """The outcome of a check that a credential has passed.

    Attributes:
        person: The person.
        code_id: The code of the second factor that was used, as `second_factor.use_code` names it; None without one.
    """

    person: Person
    code_id: str | None = None


def check_password(
    data: DataFolder,
    credential: Password,
    *,
    purpose: str,
    now: datetime | None = None,
    accepted_code_id: str | None = None,
) -> CheckedPassword:
    """Check a password, and the code of the second factor if the account has one. A failure is counted and logged.

    Args:
        data: The data folder.
        credential: Account, password and code as typed.
        purpose: The purpose of the check, such as "sign in" or "sign".
        now: The time; that of the machine if omitted.
        accepted_code_id: A code that is accepted although it was used, because it began this very session.

    Raises:
        AccessError: Account, password or code is wrong, or the account is locked or disabled.
        AuditError: The failure cannot be logged.
    """
    now, policy = now or datetime.now(UTC).astimezone(), read_policy(data)
    found = read_people(data).find_account(credential.account or "")
    if found is None:
        passwords.matches_hash(credential.password, None)
        # What was typed is not kept: it may be a password in the wrong field.
        raise _log_and_refuse(data, UNKNOWN_ACTOR, purpose, "no such account", limited_at=now)
    actor = found.to_person("account").actor
    try:
        count = lockout.count_attempt(data, policy, found.account, now)
    except lockout.LockedError as error:
        # Takes as long as any other answer, and says the same: otherwise locking accounts would show which exist.
        passwords.matches_hash(credential.password, None)
        raise _log_and_refuse(data, actor, purpose, "locked", limited_at=now) from error
    locked = "" if count < policy.failures else "; the account is locked now"
    # One message for an unknown account, a wrong password or code, and a disabled account: it must not reveal which
    # accounts exist, nor that a guessed password is right. The log says which it was.
    if not passwords.matches_hash(credential.password, found.password):
        raise _log_and_refuse(data, actor, purpose, f"wrong password{locked}")
    if found.disabled:
        raise _log_and_refuse(data, actor, purpose, "disabled")
    code_id = None
    if found.second_factor is not None:
        try:
            typed_at = _limit_age(credential.typed_at, now)
            code_id = second_factor.use_code(data, found, credential.code, typed_at, accepted_code_id=accepted_code_id)
        except CodeError as error:
            raise _log_and_refuse(data, actor, purpose, f"{error}{locked}") from error
    lockout.clear_attempts(data, found.account)
    return CheckedPassword(found.to_person("account"), code_id)


def log_failed_sign_in(
    data: DataFolder, actor: audit.Actor, purpose: str, reason: str, unwritten_count: int = 0
) -> None:
    """Log that a credential was refused.

    Args:
        data: The data folder.
        actor: Whose account it is.
        purpose: The purpose of the check.
        reason: Why it was refused.
        unwritten_count: Number of refusals before it that were not written.

    Raises:
        AuditError: It cannot be logged.
    """
    details: dict[str, DetailValue] = {"to": purpose}
    if unwritten_count:
        details["not_written"] = unwritten_count
    audit.append(data.audit, audit.Event(actor=actor, kind="sign-in-failed", details=details, reason=reason))


def _limit_age(typed_at: datetime | None, now: datetime) -> datetime:
    """Return when a code was typed; now if that is too long ago, or in the future."""
    return typed_at if typed_at is not None and now - _MAX_CODE_AGE <= typed_at <= now else now


def _log_and_refuse(
    data: DataFolder, actor: audit.Actor, purpose: str, reason: str, *, limited_at: datetime | None = None
) -> AccessError:
    """Log a refusal and return its error.

    Args:
        data: The data folder.
        actor: Whose account it is.
        purpose: The purpose of the check.
        reason: Why it was refused.
        limited_at: The time, for a refusal that anyone can cause as often as they like.
    """
    unwritten = 0 if limited_at is None else count_refusal(data, limited_at)
    if unwritten is not None:
        log_failed_sign_in(data, actor, purpose, reason, unwritten)
    policy = read_policy(data)
    has_codes = second_factor.is_second_factor_in_use(data)
    parts = "The account, the password or the code" if has_codes else "The account or the password"
    return AccessError(
        f"{parts} is wrong. After {policy.failures} failed attempts an account is locked for {policy.lock_minutes} "
        "minutes, or until an administrator sets a new password."
    )
