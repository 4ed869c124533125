"""Release a run: the only way to an output that is not a draft."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine import access, audit
from engine.access import Credential, Session
from engine.access.run_context import RunContext
from engine.approval.statements import Confirmation, Statement
from engine.approval.workflow import Clearance
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import CheckFailedError
from engine.isolation.guarded import guarded
from engine.record import Document, Sha256, encode_document, sha256_hex
from engine.release.certify import CERTIFIERS
from engine.release.drafts import log_render
from engine.release.recovery import (
    checks_path,
    count_releases,
    find_interrupted_release,
    finish_release,
    resume_release,
)
from engine.release.release_checks import RELEASE_CHECKS
from engine.release.release_hooks import Certifier, ReleaseCandidate, ReleaseCheck
from engine.release.sign import SignRequest, describe_confirmation, log_refusal, write_statement
from engine.release.snapshot import SignOffSnapshot, lock_run_for_signing, take_snapshot
from engine.rendering.render import render
from engine.storage.data_folder import RECORD_NAME, REVIEW_NAME, DataFolder
from engine.storage.files import make_private_folder, write_file
from engine.verification.verify import verify

SCHEMA: Literal["veil/release/1"] = "veil/release/1"
_SILENT = SilentListener()
_RELEASE_REQUEST = SignRequest("released")


class Release(Document, frozen=True):
    """A released output.

    Attributes:
        schema: Always "veil/release/1".
        run: Identifier of the run.
        number: Number of the release within its run, from 1.
        folder: Path of the folder with the output and its documents.
        output: Path of the video.
        output_sha256: SHA-256 of the video.
        statements: The statements of the people who reviewed, approved and released it.
        persons: The number of people that the policy required.
        head: Anchor of the audit log, the release included.
    """

    schema: Literal["veil/release/1"]
    run: str
    number: int
    folder: str
    output: str
    output_sha256: Sha256
    statements: tuple[Statement, ...]
    persons: access.Persons
    head: audit.Anchor


@guarded("run_id")
def release(  # noqa: PLR0913 - tests replace the checks and certifiers, which take models and minutes
    data: DataFolder,
    run_id: str,
    session: Session,
    credential: Credential | None,
    request: SignRequest = _RELEASE_REQUEST,
    *,
    listener: ProgressListener = _SILENT,
    release_checks: Sequence[ReleaseCheck] = RELEASE_CHECKS,
    certifiers: Sequence[Certifier] = CERTIFIERS,
) -> tuple[Release, Session]:
    """Render, check, sign and publish the output of a run that was reviewed and approved.

    The render reads copies of the very bytes whose hashes the approval is bound to. No file has its final name before
    every check has passed. A release that was logged but interrupted before it was published is finished instead.

    Args:
        data: The data folder.
        run_id: Identifier of the run.
        session: The session of the person who releases.
        credential: The credential for this signature; None for a single user.
        request: The reason, and options and suffix, which must be the approved ones; those are used if omitted.
        listener: Receives progress.
        release_checks: Checks that the output has to pass.
        certifiers: Functions that write the documents of the release.

    Returns:
        The release, and the session after the signature.

    Raises:
        AccessError: The role does not allow it, the credential is wrong, or the session has ended.
        RunError: There is no such run.
        SignOffError: A step is missing or void, or a file was tampered with; the sentence names it.
        CheckFailedError: The output does not pass its checks.
        VeilError: As `engine.render` and `engine.verify`.
    """
    if request.meaning != "released":
        raise ValueError(f"expected a request to release, got {request.meaning!r}")
    context = RunContext.open(data, run_id, session.person).authorise("release")
    # Held until the release is published: an amendment or a signature in between would belong to other bytes.
    with lock_run_for_signing(context.run):
        snapshot = take_releasable_snapshot(context, request)
        confirmation = describe_confirmation(data, session, credential)
        session = access.reauthenticate(data, session, credential)
        hooks = ReleaseHooks(listener, release_checks, certifiers)
        return release_snapshot(context, snapshot, confirmation, request, hooks), session


@dataclass(frozen=True, slots=True)
class ReleaseHooks:
    """What goes along with a release.

    Attributes:
        listener: Receives progress.
        release_checks: Checks that the output has to pass.
        certifiers: Functions that write the documents of the release.
    """

    listener: ProgressListener = _SILENT
    release_checks: Sequence[ReleaseCheck] = RELEASE_CHECKS
    certifiers: Sequence[Certifier] = CERTIFIERS


def take_releasable_snapshot(context: RunContext, request: SignRequest) -> SignOffSnapshot:
    """Take a snapshot of a run that may be released. The caller holds the lock of the run.

    Raises:
        SignOffError: A step is missing or void, or a file was tampered with; the refusal is logged.
    """
    snapshot = take_snapshot(context.data, context.run, request.options, request.suffix)
    if refusal := snapshot.sign_off.find_refusal("released", context.person.account):
        raise log_refusal(context, refusal)
    return snapshot


def release_snapshot(
    context: RunContext,
    snapshot: SignOffSnapshot,
    confirmation: Confirmation,
    request: SignRequest,
    hooks: ReleaseHooks,
) -> Release:
    """Render, check, sign and publish for a person who has confirmed it. The caller holds the lock of the run.

    Raises:
        VeilError: As `release` raises.
    """
    clearance = snapshot.sign_off.clear()
    interrupted = find_interrupted_release(context.data, context.run)
    candidate = resume_release(context, snapshot, interrupted, hooks.listener) if interrupted else None
    if interrupted and candidate:
        statement, final_folder = interrupted.statement, interrupted.final_folder
    else:
        with _reserve_release_folder(context) as (folder, final_folder):
            candidate = _render_candidate(context, snapshot, clearance, folder, hooks.listener)
            _require_passed_checks(candidate)
            for check in hooks.release_checks:
                check(candidate)
        output_sha256 = candidate.report.output_sha256
        statement = write_statement(context, snapshot, confirmation, request, output_sha256)
    head = finish_release(candidate, statement, final_folder, hooks.certifiers)
    return _build_release(candidate, statement, final_folder, head)


@contextmanager
def _reserve_release_folder(context: RunContext) -> Iterator[tuple[Path, Path]]:
    """Create the hidden folder of the next release; remove it with all it contains if the block fails.

    Yields:
        The hidden folder, and the folder under its final name.
    """
    run = context.run
    make_private_folder(run.folder.releases)
    taken = [int(path.name) for path in run.folder.releases.iterdir() if path.name.isdecimal()]
    # The log counts too: a release that was removed must not have its number taken by another video.
    final_folder = run.folder.releases / f"{1 + max([count_releases(context.data, run), *taken]):02}"
    # Hidden folders here are left by renders that a crash ended; one that was logged has been resumed before.
    for leftover in run.folder.releases.glob(".[0-9]*"):
        shutil.rmtree(leftover)
    folder = final_folder.with_name(f".{final_folder.name}")
    make_private_folder(folder)
    try:
        yield folder, final_folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _render_candidate(
    context: RunContext, snapshot: SignOffSnapshot, clearance: Clearance, folder: Path, listener: ProgressListener
) -> ReleaseCandidate:
    # The bytes of the snapshot are written into the folder and rendered from there: the files of the run could be
    # exchanged between the check of the sign-off and the render.
    record, review = folder / RECORD_NAME, folder / REVIEW_NAME if snapshot.review_bytes else None
    write_file(record, snapshot.record_bytes)
    if review:
        write_file(review, snapshot.review_bytes)
    source = context.run.source
    output = folder / f"{context.run.id}{snapshot.terms.suffix}"
    report = render(source, record, output, snapshot.terms.options, review=review, cleared=clearance, listener=listener)
    log_render(context, report, actor=audit.SYSTEM_ACTOR)
    # A release is made once and kept for years: that it can be made again is worth the time of a second render.
    checks = verify(source, record, output, review=review, render_again=True, listener=listener)
    write_file(checks_path(output), encode_document(checks))
    return ReleaseCandidate(context, snapshot, clearance, folder, output, report, checks, listener)


def _require_passed_checks(candidate: ReleaseCandidate) -> None:
    """Refuse an output that fails its verification or was made of other bytes; the result is logged either way."""
    checks, hashes = candidate.checks, candidate.clearance.hashes
    failed = [f"{check.name}: {check.finding}" for check in checks.checks if not check.passed]
    failed += [
        f"the {name} was changed between the check of the sign-off and the render"
        for name, sha256 in (("source", checks.source_sha256), ("record", checks.record_sha256))
        if getattr(hashes, name) != sha256
    ]
    candidate.context.log_event(
        "verification",
        {"output": checks.output_sha256, "checks": sha256_hex(encode_document(checks))},
        {"passed": not failed},
    )
    if failed:
        raise CheckFailedError(f"The output does not pass its checks ({'; '.join(failed)}); nothing was released.")


def _build_release(
    candidate: ReleaseCandidate, statement: Statement, final_folder: Path, head: audit.Anchor
) -> Release:
    clearance = candidate.clearance
    return Release(
        schema=SCHEMA,
        run=candidate.context.run.id,
        number=int(final_folder.name),
        folder=str(final_folder),
        output=str(final_folder / candidate.output.name),
        output_sha256=candidate.report.output_sha256,
        statements=(*clearance.statements, statement),
        persons=clearance.persons,
        head=head,
    )
