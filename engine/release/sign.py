"""Signing: who, what, why, with the credential asked again; a file that is written once, and an entry in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine import access, audit, runs
from engine.access import Credential, Login, Password, Session
from engine.access.permissions import Action
from engine.approval.statements import EVENTS, Asked, Meaning, Statement, Subject, statement_name
from engine.audio.spans import AudioSpan, words
from engine.audit.entry import Detail
from engine.errors import SignOffError
from engine.masking.style import check
from engine.record import Sha256, digest, encode
from engine.release.snapshot import Case, held, open_case
from engine.rendering.render import refuse_audio
from engine.rendering.terms import RenderOptions
from engine.storage.files import Data, write

_ACTIONS: dict[Meaning, Action] = {
    "reviewed": "sign-reviewed",
    "approved": "sign-approved",
    "rejected": "sign-rejected",
    "released": "release",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to sign.

    Attributes:
        meaning: "reviewed", "approved" or "rejected"; "released" is signed by releasing.
        reason: why; a rejection must have one.
        options: style, encoder and audio that are approved; those signed last when left out, or the defaults.
        suffix: of the output's name; that of the newest statement when left out, or the source's.
        subject: what the person was shown; a run that is another by now is not signed. Not looked at when left out.
    """

    meaning: Meaning
    reason: str | None = None
    options: RenderOptions | None = None
    suffix: str | None = None
    subject: Subject | None = None


def sign(
    data: Data, run_id: str, session: Session, credential: Credential | None, wish: Wish
) -> tuple[Statement, Session]:
    """Sign a statement about a run as it stands now.

    Args:
        data: the data folder.
        run_id: the run.
        session: of the person who signs.
        credential: asked again for this signature; None for a single user.
        wish: what is signed.

    Returns:
        The statement, and the session that has signed.

    Raises:
        AccessError: their role does not allow it, the credential is wrong, or the session has ended.
        RunError: there is no such run.
        SignOffError: a step before is missing or void, or something was tampered with; a sentence names it.
        StyleError: the style that is approved would not hide a face, and is not forced.
        InputError: a span of audio cannot be replaced, because it lies outside or contradicts another.
        AuditError: it cannot be put on record.
    """
    if wish.meaning == "released":
        raise SignOffError("A release is signed by releasing: use veil release.")
    if wish.meaning == "rejected" and not (wish.reason or "").strip():
        raise SignOffError("A rejection says why; give a reason.")
    person = access.authorise(data, session.person, _ACTIONS[wish.meaning])
    with held(runs.get(data, run_id)):
        case = open_case(data, run_id, wish.options, wish.suffix)
        if wish.subject not in {None, case.steps.subject}:
            raise refused(data, person, run_id, "The run was changed since it was shown; look at it again, then sign.")
        if wish.meaning == "approved" and not case.terms.forced:
            check(case.terms.style)
        refuse_audio(case.run.source, case.terms)
        if why := case.steps.refusal(wish.meaning, person.account):
            raise refused(data, person, run_id, why)
        asked = asked_of(session, credential)
        session = access.confirm(data, session, credential)
        return stated(data, case, session, asked, wish), session


def refused(data: Data, person: access.Person, run_id: str, why: str) -> SignOffError:
    """Put on record that a step was refused.

    Raises:
        AuditError: it cannot be put on record.
    """
    audit.append(data.audit, audit.Event(actor=person.actor, kind="refusal", run=run_id, reason=why))
    return SignOffError(why)


def asked_of(session: Session, credential: Credential | None) -> Asked:
    """With what a signature is confirmed, in words."""
    match credential:
        case None:
            return "nothing: a single user"
        case Login():
            return "sign-in at the provider"
        case Password():
            return "password" if session.signed and credential.account is None else "account and password"


def stated(  # noqa: PLR0913, PLR0917 - the parts of the document
    data: Data, case: Case, session: Session, asked: Asked, wish: Wish, output: Sha256 | None = None
) -> Statement:
    """Write a statement and put it on record; whoever calls has checked everything.

    Raises:
        AuditError: it cannot be put on record.
        TargetError: it cannot be written.
    """
    person, subject = session.person, case.steps.subject
    statement = Statement(
        run=case.run.id,
        number=case.next_number,
        meaning=wish.meaning,
        subject=subject,
        terms=msgspec.to_builtins(case.terms),
        output=output,
        account=person.account,
        name=person.name,
        how=person.how,
        asked=asked,
        persons=access.read_policy(data).persons,
        at=datetime.now(UTC).astimezone(),
        reason=wish.reason,
        head=audit.head(data.audit),
    )
    stored = encode(statement)
    write(_path(case), stored)
    subjects = {"statement": digest(stored), **msgspec.structs.asdict(subject)}
    audit.append(
        data.audit,
        audit.Event(
            actor=person.actor,
            kind=EVENTS[wish.meaning],
            run=case.run.id,
            subjects=subjects | ({} if output is None else {"output": output}),
            details={
                "number": statement.number,
                "persons": statement.persons,
                "asked": asked,
                **audio_details(case.terms.audio),
            },
            reason=wish.reason,
        ),
    )
    return statement


def audio_details(spans: Sequence[AudioSpan]) -> dict[str, Detail]:
    """What an entry of the log says of the audio: nothing where it is kept as in the source."""
    return {"audio": words(spans)} if spans else {}


def _path(case: Case) -> Path:
    folder = case.run.folder.signatures
    folder.mkdir(exist_ok=True)
    return folder / statement_name(case.next_number)
