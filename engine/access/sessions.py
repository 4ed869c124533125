"""Sessions from sign-in to their end, and the credential that every signature requires again.

A session is a value. The server keeps it, calls `touch` at each action of the person, and keeps the result.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from engine import audit
from engine.access.accounts import check_password, find_person_by_identity
from engine.access.people import Identity, Person, read_people
from engine.access.permissions import refresh_person
from engine.access.policy import read_policy
from engine.errors import AccessError
from engine.record import Document, Timestamp
from engine.storage.data_folder import DataFolder


class Password(Document, frozen=True):
    """A credential of a local account; the account may be omitted after the first signature of a session."""

    password: str
    account: str | None = None

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


class Session(Document, frozen=True):
    """A session of a person.

    Attributes:
        person: The person.
        started: When the person signed in.
        seen: Time of the last action.
        signed: Whether the person has signed a statement in this session.
    """

    person: Person
    started: Timestamp
    seen: Timestamp
    signed: bool = False


def sign_in(data: DataFolder, account: str, password: str, *, now: datetime | None = None) -> Session:
    """Start a session with a local account.

    Raises:
        AccessError: Account or password is wrong, or the account is locked or disabled.
        AuditError: The sign-in cannot be logged.
    """
    now = now or _now()
    return _start_session(data, check_password(data, account, password, purpose="sign in", now=now), now)


def sign_in_by_provider(data: DataFolder, login: ProviderLogin, *, now: datetime | None = None) -> Session:
    """Start a session with a sign-in at an OpenID provider.

    Raises:
        AccessError: No account matches, or the account is disabled.
        AuditError: The sign-in cannot be logged.
    """
    person = find_person_by_identity(data, login.identity, login.email, is_email_verified=login.verified)
    return _start_session(data, person, now or _now())


def record_provider_refusal(data: DataFolder) -> None:
    """Log that an OpenID provider refused a sign-in. The provider does not say whose it was.

    Raises:
        AuditError: It cannot be logged.
    """
    unknown = audit.Actor("", "unknown", "system")
    event = audit.Event(actor=unknown, kind="sign-in-failed", details={"to": "sign in"}, reason="the provider refused")
    audit.append(data.audit, event)


def touch(data: DataFolder, session: Session, *, now: datetime | None = None) -> Session:
    """Return the session after one more action, with the person's current roles.

    Raises:
        AccessError: The session has ended: it was unused or open for too long, the account was disabled, its password
            was changed, or accounts were added to a single-user installation.
    """
    now, policy = now or _now(), read_policy(data)
    # Read again at each action: a role that was taken away, or a disabled account, must not last until the session
    # ends.
    person = refresh_person(data, session.person)
    if now - session.seen > policy.idle_timeout:
        raise AccessError(f"Your session ended after {policy.idle_minutes} minutes without use; sign in again.")
    if now - session.started > policy.session_timeout:
        raise AccessError(f"Your session ended after {policy.session_minutes} minutes; sign in again.")
    # A password is often changed because another person knows it; their session must end with it.
    account = read_people(data).find_account(person.account) if person.how == "account" else None
    if account and account.password_set and account.password_set > session.started:
        raise AccessError("Your session ended because the password was changed; sign in again.")
    return msgspec.structs.replace(session, person=person, seen=now)


def sign_out(data: DataFolder, session: Session) -> None:
    """Log the end of a session; the server removes it.

    Raises:
        AuditError: It cannot be logged.
    """
    audit.append(data.audit, audit.Event(actor=session.person.actor, kind="sign-out"))


def reauthenticate(
    data: DataFolder, session: Session, credential: Credential | None, *, now: datetime | None = None
) -> Session:
    """Check the credential for a signature.

    The first signature of a session takes account and password, later ones the password (21 CFR 11.200). A sign-in at a
    provider must be a few minutes old at most. A single user has no credential, and the signature says so.

    Raises:
        AccessError: The credential is missing, wrong, too old or of another person, or the session has ended.
        AuditError: A failure cannot be logged.
    """
    now = now or _now()
    # The right password does not revive a session that has ended: a person at an abandoned screen has to sign in first.
    session = touch(data, session, now=now)
    match credential:
        case None:
            if session.person.how != "single-user":
                raise AccessError("A signature needs your credential again; nothing was signed.")
        case Password():
            _check_password_credential(data, session, credential, now)
        case ProviderLogin():
            _check_provider_login(data, session, credential, now)
    return msgspec.structs.replace(session, signed=True)


def _check_password_credential(data: DataFolder, session: Session, credential: Password, now: datetime) -> None:
    account = session.person.account
    if credential.account is None and not session.signed:
        raise AccessError("The first signature of a session needs the account as well as the password.")
    if credential.account not in {None, account}:
        raise AccessError(f"You are signed in as {account}; only you can sign in this session.")
    # Counted like a sign-in: the form of a signature would otherwise be a place to guess passwords without limit.
    check_password(data, account, credential.password, purpose="sign", now=now)


def _check_provider_login(data: DataFolder, session: Session, login: ProviderLogin, now: datetime) -> None:
    policy = read_policy(data)
    account = read_people(data).get_account(session.person.account)
    if login.identity not in account.identities:
        raise AccessError(f"You are signed in as {account.account}; only you can sign in this session.")
    # Both limits: the sign-in belongs to this session (clocks of server and provider may differ a little), and it is
    # recent, so that a person at an unattended screen cannot sign.
    if (
        not session.started - policy.max_credential_age <= login.at <= now + policy.max_credential_age
        or now - login.at > policy.max_credential_age
    ):
        raise AccessError(
            f"A signature needs your credential again: your sign-in at the provider is over {policy.fresh_minutes} "
            "minutes old."
        )


def _start_session(data: DataFolder, person: Person, now: datetime) -> Session:
    # Logged first: if the log cannot be written, there is no session.
    audit.append(data.audit, audit.Event(actor=person.actor, kind="sign-in"))
    return Session(person, now, now)


def _now() -> datetime:
    return datetime.now(UTC).astimezone()
