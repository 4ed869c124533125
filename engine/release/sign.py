"""Sign a statement: check the person and the run, ask for the credential again, write the statement, and log it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine import access, audit
from engine.access import Credential, Password, ProviderLogin, Session
from engine.access.permissions import Permission
from engine.access.run_context import RunContext
from engine.approval.review_policy import ReviewFigures, find_shortfalls
from engine.approval.statements import EVENT_KINDS, Confirmation, Meaning, SignedHashes, Statement, statement_file_name
from engine.audio.spans import AudioSpan, describe_spans
from engine.audit.entry import DetailValue
from engine.errors import SignOffError
from engine.jobs.cases import assign_run, list_assignable_people
from engine.masking.style import check_style
from engine.record import Sha256, encode_document, sha256_hex
from engine.release.review_figures import measure_review
from engine.release.snapshot import SignOffSnapshot, lock_run_for_signing, take_snapshot
from engine.rendering.render import check_audio_spans
from engine.rendering.terms import RenderOptions
from engine.storage.data_folder import DataFolder
from engine.storage.files import make_private_folder, write_file

_PERMISSIONS: dict[Meaning, Permission] = {
    "reviewed": "sign-reviewed",
    "approved": "sign-approved",
    "rejected": "sign-rejected",
    "released": "release",
}


@dataclass(frozen=True, slots=True)
class SignRequest:
    """What a person wants to sign.

    Attributes:
        meaning: "reviewed", "approved" or "rejected"; "released" is signed by `engine.release.release`.
        reason: The reason; a rejection needs one.
        options: Style, encoder and audio; those of the newest statement if omitted, or the defaults.
        suffix: File suffix of the output; that of the newest statement if omitted, or of the source.
        shown_hashes: The hashes that the person was shown. A run that has changed since is not signed. Not checked if
            omitted.
        below_policy: Whether the person confirms to sign although less was checked than the policy asks for; needs a
            reason.
        frames: Frames that a rejection asks to look at again.
    """

    meaning: Meaning
    reason: str | None = None
    options: RenderOptions | None = None
    suffix: str | None = None
    shown_hashes: SignedHashes | None = None
    below_policy: bool = False
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _PolicyCheck:
    """What had been checked when a statement is signed, and what the policy found lacking."""

    figures: ReviewFigures | None = None
    shortfalls: tuple[str, ...] = ()


_NO_POLICY_CHECK = _PolicyCheck()


def sign(
    data: DataFolder, run_id: str, session: Session, credential: Credential | None, request: SignRequest
) -> tuple[Statement, Session]:
    """Sign a statement about a run as it stands now.

    Args:
        data: The data folder.
        run_id: Identifier of the run.
        session: The session of the person who signs.
        credential: The credential for this signature; None for a single user.
        request: What is signed.

    Returns:
        The statement, and the session after the signature.

    Raises:
        AccessError: The role does not allow it, the credential is wrong, or the session has ended.
        RunError: There is no such run.
        SignOffError: A step is missing or void, or a file was tampered with; the sentence names it.
        StyleError: The style to approve would not hide a face, and is not forced.
        InputError: An audio span cannot be replaced, because it lies outside the audio or contradicts another.
        AuditError: The statement cannot be logged.
    """
    context = RunContext.open(data, run_id, session.person)
    # From here to the written statement no other statement, release or purge of the run can come in between.
    with lock_run_for_signing(context.run):
        signable = check_request(context, request)
        # The credential comes last: a wrong password counts as a failed sign-in, which must not happen for a statement
        # that would be refused anyway.
        confirmation = describe_confirmation(data, session, credential)
        session = access.reauthenticate(data, session, credential)
        return sign_request(signable, confirmation, request), session


@dataclass(frozen=True, slots=True)
class SignableRun:
    """A run that may be signed as it stands, while its lock is held.

    Attributes:
        context: The run, and the person with their current roles.
        snapshot: The run as it is signed.
        policy_check: What had been checked.
    """

    context: RunContext
    snapshot: SignOffSnapshot
    policy_check: _PolicyCheck


def check_request(context: RunContext, request: SignRequest) -> SignableRun:
    """Check everything about a signature but the credential. The caller holds the lock of the run.

    Raises:
        VeilError: As `sign` raises.
    """
    if request.meaning == "released":
        raise SignOffError("A release is signed by releasing: use veil release.")
    if request.meaning == "rejected" and not (request.reason or "").strip():
        raise SignOffError("A rejection needs a reason; give one.")
    context = context.authorise(_PERMISSIONS[request.meaning])
    snapshot = take_snapshot(context.data, context.run, request.options, request.suffix)
    if request.shown_hashes not in {None, snapshot.sign_off.hashes}:
        raise log_refusal(context, "The run was changed since it was shown; look at it again, then sign.")
    if request.meaning == "approved" and not snapshot.terms.forced:
        check_style(snapshot.terms.style)
    check_audio_spans(context.run.source, snapshot.terms)
    if refusal := snapshot.sign_off.find_refusal(request.meaning, context.person.account):
        raise log_refusal(context, refusal)
    _check_frames(snapshot, request.frames)
    return SignableRun(context, snapshot, _check_policy(context, snapshot, request))


def sign_request(signable: SignableRun, confirmation: Confirmation, request: SignRequest) -> Statement:
    """Write the statement of a person who has confirmed it. The caller holds the lock of the run.

    Raises:
        AuditError: The statement cannot be logged.
        TargetError: The statement cannot be written.
    """
    context, snapshot = signable.context, signable.snapshot
    statement = write_statement(context, snapshot, confirmation, request, policy_check=signable.policy_check)
    if request.meaning == "rejected":
        _assign_to_reviewer(context, snapshot)
    return statement


def _check_frames(snapshot: SignOffSnapshot, frames: Sequence[int]) -> None:
    last = len(snapshot.record.frames) - 1
    if wrong := [index for index in frames if not 0 <= index <= last]:
        raise SignOffError(f"{snapshot.run.title} has the frames 0 to {last}, so there is no frame {wrong[0]}.")


def _assign_to_reviewer(context: RunContext, snapshot: SignOffSnapshot) -> None:
    """Assign a run that was sent back to the person who signed its review last, if they can still review."""
    statuses = snapshot.sign_off.list_statement_statuses()
    reviewers = [status.statement.account for status in statuses if status.statement.meaning == "reviewed"]
    known = {person.account for person in list_assignable_people(context.data)}
    if reviewers and reviewers[-1] in known:
        assign_run(context, reviewers[-1])


def _check_policy(context: RunContext, snapshot: SignOffSnapshot, request: SignRequest) -> _PolicyCheck:
    """Measure what was checked, and refuse a statement below the policy that is not confirmed with a reason."""
    if request.meaning not in {"reviewed", "approved"}:
        return _NO_POLICY_CHECK
    figures = measure_review(context.data, snapshot, context.person.account)
    shortfalls = find_shortfalls(access.read_policy(context.data), request.meaning, figures)
    if shortfalls and not (request.below_policy and (request.reason or "").strip()):
        raise log_refusal(
            context,
            f"Less was checked than the policy asks for before a run is {request.meaning}: {'; '.join(shortfalls)}. "
            "Check the rest, or confirm that you sign below the policy (--below-policy) and give a reason.",
        )
    return _PolicyCheck(figures, shortfalls)


def log_refusal(context: RunContext, why: str) -> SignOffError:
    """Log that a step was refused, and return the error to raise.

    Raises:
        AuditError: The refusal cannot be logged.
    """
    context.log_event("refusal", reason=why)
    return SignOffError(why)


def describe_confirmation(data: DataFolder, session: Session, credential: Credential | None) -> Confirmation:
    """Return in words how a signature is confirmed."""
    match credential:
        case None:
            return "nothing: a single user"
        case ProviderLogin():
            return "sign-in at the provider"
        case Password():
            # 21 CFR 11.200: the first signature of a session takes account and password, later ones the password.
            is_later = session.signed and credential.account is None
            account = access.read_people(data).find_account(session.person.account)
            if account is not None and account.second_factor is not None:
                return "password and code" if is_later else "account, password and code"
            return "password" if is_later else "account and password"


def write_statement(  # noqa: PLR0913 - the sixth says nothing for a release
    context: RunContext,
    snapshot: SignOffSnapshot,
    confirmation: Confirmation,
    request: SignRequest,
    output_sha256: Sha256 | None = None,
    *,
    policy_check: _PolicyCheck = _NO_POLICY_CHECK,
) -> Statement:
    """Write a statement and log it. The caller has checked that it may be signed, and holds the lock of the run.

    Raises:
        AuditError: The statement cannot be logged.
        TargetError: The statement cannot be written.
    """
    person, hashes = context.person, snapshot.sign_off.hashes
    statement = Statement(
        run=context.run.id,
        number=snapshot.next_statement_number,
        meaning=request.meaning,
        subject=hashes,
        terms=msgspec.to_builtins(snapshot.terms),
        output=output_sha256,
        account=person.account,
        name=person.name,
        how=person.how,
        asked=confirmation,
        persons=access.read_policy(context.data).persons,
        at=datetime.now(UTC).astimezone(),
        reason=request.reason,
        head=audit.read_head(context.data.audit),
        figures=policy_check.figures,
        below_policy=policy_check.shortfalls,
        frames=request.frames,
    )
    stored = encode_document(statement)
    # The file first, then the log: the log must never know a statement that does not exist. A crash between the two
    # leaves a file that the log does not know, which does not count.
    write_file(_prepare_statement_path(snapshot), stored)
    subjects = {"statement": sha256_hex(stored), **msgspec.structs.asdict(hashes)}
    if output_sha256 is not None:
        subjects["output"] = output_sha256
    details = {
        "number": statement.number,
        "persons": statement.persons,
        "asked": confirmation,
        **describe_audio_details(snapshot.terms.audio),
        **({"below_policy": "; ".join(statement.below_policy)} if statement.below_policy else {}),
    }
    context.log_event(EVENT_KINDS[request.meaning], subjects, details, request.reason)
    return statement


def describe_audio_details(spans: Sequence[AudioSpan]) -> dict[str, DetailValue]:
    """Return the details of a log entry about the audio, empty if the audio is kept as in the source."""
    return {"audio": describe_spans(spans)} if spans else {}


def _prepare_statement_path(snapshot: SignOffSnapshot) -> Path:
    folder = snapshot.run.folder.signatures
    make_private_folder(folder)
    return folder / statement_file_name(snapshot.next_statement_number)
