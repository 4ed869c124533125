"""Sessions from sign-in to their end, and the credential that every signature requires again.

A session is a value. The server keeps it, calls `touch` at each action of the person, and keeps the result.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from engine import audit
from engine.access.accounts import find_person_by_identity
from engine.access.credentials import CheckedPassword, Credential, Password, ProviderLogin, check_password
from engine.access.people import Person, read_people
from engine.access.permissions import refresh_person
from engine.access.policy import read_policy
from engine.access.second_factor import require_second_factor
from engine.errors import AccessError
from engine.record import Document, Timestamp
from engine.storage.data_folder import DataFolder


class Session(Document, frozen=True):
    """A session of a person.

    Attributes:
        person: The person.
        started: When the person signed in.
        seen: Time of the last action.
        signed: Whether the person has signed a statement in this session.
        code_id: For a session of one command, the code of the second factor that began it: the same code confirms its
            signature. None for a session that lasts.
        new_secret: Secret of a second factor that the person is setting up.
    """

    person: Person
    started: Timestamp
    seen: Timestamp
    signed: bool = False
    code_id: str | None = None
    new_secret: str | None = None

    def __repr__(self) -> str:
        # Error messages and tracebacks print values; a secret must be in none of them.
        return f"Session({self.person.account!r}, ...)"


def sign_in(  # noqa: PLR0913 - what a person types, and what the session is for
    data: DataFolder,
    account: str,
    password: str,
    code: str | None = None,
    *,
    sets_up_second_factor: bool = False,
    is_one_command: bool = False,
    now: datetime | None = None,
) -> Session:
    """Start a session with a local account.

    Args:
        data: The data folder.
        account: Name of the account.
        password: The password as typed.
        code: Code of the second factor, if the account has one.
        sets_up_second_factor: Whether the session may lack a second factor that the policy asks for, because it is for
            setting it up; `touch` refuses it for everything else.
        is_one_command: Whether the session is that of one command, whose signature the same code confirms.
        now: The time; that of the machine if omitted.

    Raises:
        AccessError: Account, password or code is wrong, or the account is locked or disabled.
        SecondFactorRequiredError: The policy asks for a second factor, and the account has none.
        AuditError: The sign-in cannot be logged.
    """
    now = now or _now()
    checked = check_password(data, Password(password, account, code), purpose="sign in", now=now)
    if not sets_up_second_factor:
        require_second_factor(data, read_people(data).get_account(account))
    session = _start_session(data, checked, now)
    return msgspec.structs.replace(session, code_id=checked.code_id) if is_one_command else session


def sign_in_by_provider(data: DataFolder, login: ProviderLogin, *, now: datetime | None = None) -> Session:
    """Start a session with a sign-in at an OpenID provider.

    Raises:
        AccessError: No account matches, or the account is disabled.
        AuditError: The sign-in cannot be logged.
    """
    person = find_person_by_identity(data, login.identity, login.email, is_email_verified=login.verified)
    return _start_session(data, CheckedPassword(person), now or _now())


def record_provider_refusal(data: DataFolder) -> None:
    """Log that an OpenID provider refused a sign-in. The provider does not say whose it was.

    Raises:
        AuditError: It cannot be logged.
    """
    unknown = audit.Actor("", "unknown", "system")
    event = audit.Event(actor=unknown, kind="sign-in-failed", details={"to": "sign in"}, reason="the provider refused")
    audit.append(data.audit, event)


def touch(
    data: DataFolder, session: Session, *, sets_up_second_factor: bool = False, now: datetime | None = None
) -> Session:
    """Return the session after one more action, with the person's current roles.

    Raises:
        AccessError: The session has ended: it was unused or open for too long, the account was disabled, its password
            or second factor was changed, or accounts were added to a single-user installation.
        SecondFactorRequiredError: The policy asks for a second factor, the account has none, and the action does not
            set it up.
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
    # A session that began without the second factor ends when there is one.
    if account and account.second_factor and account.second_factor.added > session.started:
        raise AccessError("Your session ended because the second factor was set up; sign in again.")
    if account and not sets_up_second_factor:
        require_second_factor(data, account)
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

    The first signature of a session takes account and password, later ones the password (21 CFR 11.200); each takes a
    new code of the second factor, if the account has one. A sign-in at a provider must be a few minutes old at most. A
    single user has no credential, and the signature says so.

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
    credential = msgspec.structs.replace(credential, account=account)
    # A session of one command has just used its code; its signature is the same act. A session that lasts needs a new
    # code for every signature.
    code_id = None if session.signed else session.code_id
    check_password(data, credential, purpose="sign", now=now, accepted_code_id=code_id)


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


def _start_session(data: DataFolder, checked: CheckedPassword, now: datetime) -> Session:
    details = {} if checked.code_id is None else {"second_factor": True}
    # Logged first: if the log cannot be written, there is no session.
    audit.append(data.audit, audit.Event(actor=checked.person.actor, kind="sign-in", details=details))
    return Session(checked.person, now, now)


def _now() -> datetime:
    return datetime.now(UTC).astimezone()
