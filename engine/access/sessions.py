"""Sessions: from signing in until they end, and the credential that every signature asks for again.

A session is a value. Whoever serves a person keeps it on the server's side, calls `touch` at each of their actions and
keeps what that returns.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from engine import audit
from engine.access.accounts import check_password, find_person_by_identity
from engine.access.people import Identity, Person, Timestamp, read_people
from engine.access.permissions import refresh_person
from engine.access.policy import read_policy
from engine.errors import AccessError
from engine.record import Document
from engine.storage.data_folder import DataFolder


class Password(Document, frozen=True):
    """A credential of a local account; the account may be left out after the first signature of a session."""

    password: str
    account: str | None = None

    def __repr__(self) -> str:
        return "Password(...)"


class ProviderLogin(Document, frozen=True):
    """What an OpenID provider says of somebody, after its token was checked.

    Attributes:
        issuer: claim `iss`.
        subject: claim `sub`.
        at: claim `auth_time`: when they gave the provider their credential.
        email: claim `email`.
        verified: claim `email_verified`.
    """

    issuer: str
    subject: str
    at: Timestamp
    email: str | None = None
    verified: bool = False

    @property
    def identity(self) -> Identity:
        """Whom it is about."""
        return Identity(self.issuer, self.subject)


Credential = Password | ProviderLogin


class Session(Document, frozen=True):
    """A person at work.

    Attributes:
        started: when they signed in.
        seen: when they last did something.
        signed: whether they have signed something in this session.
    """

    person: Person
    started: Timestamp
    seen: Timestamp
    signed: bool = False


def sign_in(data: DataFolder, account: str, password: str, *, now: datetime | None = None) -> Session:
    """Begin a session with a local account.

    Raises:
        AccessError: account or password is wrong, or the account is locked or disabled.
        AuditError: it cannot be put on record.
    """
    now = now or _now()
    return _start_session(data, check_password(data, account, password, purpose="sign in", now=now), now)


def sign_in_by_provider(data: DataFolder, login: ProviderLogin, *, now: datetime | None = None) -> Session:
    """Begin a session with what an OpenID provider says.

    Raises:
        AccessError: nobody here is known by it, or the account is disabled.
        AuditError: it cannot be put on record.
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
    """The session after one more action, its person with the roles of now.

    Raises:
        AccessError: it has ended: too long without use, too long altogether, the account disabled or its password
            changed, or accounts made where there were none.
    """
    now, policy = now or _now(), read_policy(data)
    person = refresh_person(data, session.person)
    if now - session.seen > policy.idle_timeout:
        raise AccessError(f"Your session ended after {policy.idle_minutes} minutes without use; sign in again.")
    if now - session.started > policy.session_timeout:
        raise AccessError(f"Your session ended after {policy.session_minutes} minutes; sign in again.")
    account = read_people(data).find_account(person.account) if person.how == "account" else None
    if account and account.password_set and account.password_set > session.started:
        raise AccessError("Your session ended because the password was changed; sign in again.")
    return msgspec.structs.replace(session, person=person, seen=now)


def sign_out(data: DataFolder, session: Session) -> None:
    """End a session; the server's side forgets it.

    Raises:
        AuditError: it cannot be put on record.
    """
    audit.append(data.audit, audit.Event(actor=session.person.actor, kind="sign-out"))


def reauthenticate(
    data: DataFolder, session: Session, credential: Credential | None, *, now: datetime | None = None
) -> Session:
    """Ask for the credential again, as every signature does.

    The first signature of a session takes two components, account and password; later ones the password. Somebody whom
    a provider vouches for has given it their credential a few minutes ago at most. A single user has none to give, and
    what they sign says so.

    Raises:
        AccessError: the credential is missing, wrong, too old, or of somebody else; or the session has ended.
        AuditError: it cannot be put on record.
    """
    now = now or _now()
    session = touch(data, session, now=now)
    match credential:
        case None:
            if session.person.how != "single-user":
                raise AccessError("Signing asks for your credential again; nothing was signed.")
        case Password():
            _check_password_credential(data, session, credential, now)
        case ProviderLogin():
            _check_provider_login(data, session, credential, now)
    return msgspec.structs.replace(session, signed=True)


def _check_password_credential(data: DataFolder, session: Session, credential: Password, now: datetime) -> None:
    account = session.person.account
    if credential.account is None and not session.signed:
        raise AccessError("The first signature of a session asks for the account as well as the password.")
    if credential.account not in {None, account}:
        raise AccessError(f"You are signed in as {account}; nobody else can sign in this session.")
    check_password(data, account, credential.password, purpose="sign", now=now)


def _check_provider_login(data: DataFolder, session: Session, login: ProviderLogin, now: datetime) -> None:
    policy = read_policy(data)
    account = read_people(data).get_account(session.person.account)
    if login.identity not in account.identities:
        raise AccessError(f"You are signed in as {account.account}; nobody else can sign in this session.")
    if (
        not session.started - policy.max_credential_age <= login.at <= now + policy.max_credential_age
        or now - login.at > policy.max_credential_age
    ):
        raise AccessError(
            f"Signing asks for your credential again: you gave it to the provider more than {policy.fresh_minutes} "
            "minutes ago."
        )


def _start_session(data: DataFolder, person: Person, now: datetime) -> Session:
    audit.append(data.audit, audit.Event(actor=person.actor, kind="sign-in"))
    return Session(person, now, now)


def _now() -> datetime:
    return datetime.now(UTC).astimezone()
