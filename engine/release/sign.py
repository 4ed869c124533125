"""Signing: who, what, why, with the credential asked again; a file that is written once, and an entry in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine import access, audit, runs
from engine.access import Credential, Password, ProviderLogin, Session
from engine.access.permissions import Permission
from engine.approval.statements import EVENT_KINDS, Confirmation, Meaning, SignedHashes, Statement, statement_file_name
from engine.audio.spans import AudioSpan, describe_spans
from engine.audit.entry import DetailValue
from engine.errors import SignOffError
from engine.masking.style import check_style
from engine.record import Sha256, encode_document, sha256_hex
from engine.release.snapshot import SignOffSnapshot, lock_run_for_signing, open_snapshot
from engine.rendering.render import check_audio_spans
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file

_PERMISSIONS: dict[Meaning, Permission] = {
    "reviewed": "sign-reviewed",
    "approved": "sign-approved",
    "rejected": "sign-rejected",
    "released": "release",
}


@dataclass(frozen=True, slots=True)
class SignRequest:
    """What somebody wants to sign.

    Attributes:
        meaning: "reviewed", "approved" or "rejected"; "released" is signed by releasing.
        reason: why; a rejection must have one.
        options: style, encoder and audio that are approved; those signed last when left out, or the defaults.
        suffix: of the output's name; that of the newest statement when left out, or the source's.
        shown_hashes: what the person was shown; a run that is another by now is not signed. Not looked at when left
            out.
    """

    meaning: Meaning
    reason: str | None = None
    options: RenderOptions | None = None
    suffix: str | None = None
    shown_hashes: SignedHashes | None = None


def sign(
    data: DataFolder, run_id: str, session: Session, credential: Credential | None, request: SignRequest
) -> tuple[Statement, Session]:
    """Sign a statement about a run as it stands now.

    Args:
        data: the data folder.
        run_id: the run.
        session: of the person who signs.
        credential: asked again for this signature; None for a single user.
        request: what is signed.

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
    if request.meaning == "released":
        raise SignOffError("A release is signed by releasing: use veil release.")
    if request.meaning == "rejected" and not (request.reason or "").strip():
        raise SignOffError("A rejection says why; give a reason.")
    person = access.authorise(data, session.person, _PERMISSIONS[request.meaning])
    with lock_run_for_signing(runs.load_run(data, run_id)):
        case = open_snapshot(data, run_id, request.options, request.suffix)
        if request.shown_hashes not in {None, case.sign_off.hashes}:
            raise log_refusal(
                data, person, run_id, "The run was changed since it was shown; look at it again, then sign."
            )
        if request.meaning == "approved" and not case.terms.forced:
            check_style(case.terms.style)
        check_audio_spans(case.run.source, case.terms)
        if why := case.sign_off.find_refusal(request.meaning, person.account):
            raise log_refusal(data, person, run_id, why)
        asked = describe_confirmation(session, credential)
        session = access.reauthenticate(data, session, credential)
        return write_statement(data, case, session, asked, request), session


def log_refusal(data: DataFolder, person: access.Person, run_id: str, why: str) -> SignOffError:
    """Put on record that a step was refused.

    Raises:
        AuditError: it cannot be put on record.
    """
    audit.append(data.audit, audit.Event(actor=person.actor, kind="refusal", run=run_id, reason=why))
    return SignOffError(why)


def describe_confirmation(session: Session, credential: Credential | None) -> Confirmation:
    """With what a signature is confirmed, in words."""
    match credential:
        case None:
            return "nothing: a single user"
        case ProviderLogin():
            return "sign-in at the provider"
        case Password():
            return "password" if session.signed and credential.account is None else "account and password"


def write_statement(  # noqa: PLR0913, PLR0917 - the parts of the document
    data: DataFolder,
    snapshot: SignOffSnapshot,
    session: Session,
    confirmation: Confirmation,
    request: SignRequest,
    output_sha256: Sha256 | None = None,
) -> Statement:
    """Write a statement and put it on record; whoever calls has checked everything.

    Raises:
        AuditError: it cannot be put on record.
        TargetError: it cannot be written.
    """
    person, subject = session.person, snapshot.sign_off.hashes
    statement = Statement(
        run=snapshot.run.id,
        number=snapshot.next_statement_number,
        meaning=request.meaning,
        subject=subject,
        terms=msgspec.to_builtins(snapshot.terms),
        output=output_sha256,
        account=person.account,
        name=person.name,
        how=person.how,
        asked=confirmation,
        persons=access.read_policy(data).persons,
        at=datetime.now(UTC).astimezone(),
        reason=request.reason,
        head=audit.read_head(data.audit),
    )
    stored = encode_document(statement)
    write_file(_prepare_statement_path(snapshot), stored)
    subjects = {"statement": sha256_hex(stored), **msgspec.structs.asdict(subject)}
    audit.append(
        data.audit,
        audit.Event(
            actor=person.actor,
            kind=EVENT_KINDS[request.meaning],
            run=snapshot.run.id,
            subjects=subjects | ({} if output_sha256 is None else {"output": output_sha256}),
            details={
                "number": statement.number,
                "persons": statement.persons,
                "asked": confirmation,
                **describe_audio_details(snapshot.terms.audio),
            },
            reason=request.reason,
        ),
    )
    return statement


def describe_audio_details(spans: Sequence[AudioSpan]) -> dict[str, DetailValue]:
    """What an entry of the log says of the audio: nothing where it is kept as in the source."""
    return {"audio": describe_spans(spans)} if spans else {}


def _prepare_statement_path(snapshot: SignOffSnapshot) -> Path:
    folder = snapshot.run.folder.signatures
    folder.mkdir(exist_ok=True)
    return folder / statement_file_name(snapshot.next_statement_number)
