"""The only way to a final output."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from engine import access, audit, runs
from engine.access import Credential, Person, Session
from engine.approval.statements import Statement
from engine.approval.workflow import Clearance
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import CheckFailedError
from engine.record import Document, Sha256, encode_document, sha256_hex
from engine.release.certify import CERTIFIERS
from engine.release.drafts import log_render
from engine.release.recovery import checks_path, find_interrupted_release, finish_release, resume_release
from engine.release.release_checks import RELEASE_CHECKS
from engine.release.release_hooks import Certifier, ReleaseCandidate, ReleaseCheck
from engine.release.sign import SignRequest, describe_confirmation, log_refusal, write_statement
from engine.release.snapshot import SignOffSnapshot, lock_run_for_signing, open_snapshot
from engine.rendering.render import render
from engine.rendering.terms import RenderOptions
from engine.runs import Run
from engine.storage.data_folder import RECORD_NAME, REVIEW_NAME, DataFolder
from engine.storage.files import write_file
from engine.verification.verify import verify

SCHEMA: Literal["veil/release/1"] = "veil/release/1"
_SILENT = SilentListener()


class Release(Document, frozen=True):
    """A final output.

    Attributes:
        number: of the release within its run, from 1.
        folder: where everything about it lies.
        output: path of the video.
        statements: who reviewed, approved and released it.
        persons: how many people the policy asked for.
        head: of the audit log, the release included.
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


def release(  # noqa: PLR0913 - who, with what, of what, and what it goes through
    data: DataFolder,
    run_id: str,
    session: Session,
    credential: Credential | None,
    *,
    options: RenderOptions | None = None,
    suffix: str | None = None,
    reason: str | None = None,
    listener: ProgressListener = _SILENT,
    release_checks: Sequence[ReleaseCheck] = RELEASE_CHECKS,
    certifiers: Sequence[Certifier] = CERTIFIERS,
) -> tuple[Release, Session]:
    """Render, check, sign and publish the final output of a run that was reviewed and approved.

    What is rendered are the very bytes whose hashes the approval is bound to. Nothing lies under the final name before
    everything holds. A release that is on record and was interrupted before it was published is finished instead.

    Args:
        data: the data folder.
        run_id: the run.
        session: of the person who releases.
        credential: asked again for this signature; None for a single user.
        options: style and encoder, which must be the approved ones; those when left out.
        suffix: of the output's name, likewise.
        reason: why, in the words of the person.
        listener: hears of progress.
        release_checks: what the output goes through before it is released.
        certifiers: what the release is given.

    Raises:
        AccessError: the role does not allow it, the credential is wrong, or the session has ended.
        SignOffError: a step is missing or void, or something was tampered with; the sentence names it.
        CheckFailedError: the output does not pass its checks.
        VeilError: as `engine.render` and `engine.verify` raise.
    """
    person = access.authorise(data, session.person, "release")
    with lock_run_for_signing(runs.load_run(data, run_id)):
        case = open_snapshot(data, run_id, options, suffix)
        if why := case.sign_off.find_refusal("released", person.account):
            raise log_refusal(data, person, run_id, why)
        cleared = case.sign_off.clear()
        asked = describe_confirmation(session, credential)
        session = access.reauthenticate(data, session, credential)
        found = find_interrupted_release(data, case.run)
        candidate = resume_release(data, case, found, listener) if found else None
        if found and candidate:
            statement, final = found.statement, found.final_folder
        else:
            with _reserve_release_folder(case.run) as (folder, final):
                candidate = _render_candidate(data, case, cleared, folder, listener)
                _require_passed_checks(candidate, person)
                for step in release_checks:
                    step(candidate)
            wish = SignRequest("released", reason)
            statement = write_statement(data, case, session, asked, wish, candidate.report.output_sha256)
        head = finish_release(candidate, statement, final, certifiers)
    return _build_release(candidate, statement, final, head), session


@contextmanager
def _reserve_release_folder(run: Run) -> Iterator[tuple[Path, Path]]:
    """A folder for the next release, and its final name; removed with all it holds when something fails."""
    run.folder.releases.mkdir(exist_ok=True)
    taken = [int(path.name) for path in run.folder.releases.iterdir() if path.name.isdecimal()]
    final = run.folder.releases / f"{1 + max([0, *taken]):02}"
    for left in run.folder.releases.glob(".[0-9]*"):
        shutil.rmtree(left)
    folder = final.with_name(f".{final.name}")
    folder.mkdir()
    try:
        yield folder, final
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _render_candidate(
    data: DataFolder, snapshot: SignOffSnapshot, clearance: Clearance, folder: Path, listener: ProgressListener
) -> ReleaseCandidate:
    record, review = folder / RECORD_NAME, folder / REVIEW_NAME
    write_file(record, snapshot.record_bytes)
    if snapshot.review_bytes:
        write_file(review, snapshot.review_bytes)
    reviewed = review if snapshot.review_bytes else None
    output = folder / f"{snapshot.run.id}{snapshot.terms.suffix}"
    report = render(
        snapshot.run.source,
        record,
        output,
        snapshot.terms.options,
        review=reviewed,
        cleared=clearance,
        listener=listener,
    )
    log_render(data, snapshot.run, audit.SYSTEM_ACTOR, report)
    checks = verify(snapshot.run.source, record, output, review=reviewed, listener=listener)
    write_file(checks_path(output), encode_document(checks))
    return ReleaseCandidate(data, snapshot, clearance, folder, output, report, checks, listener)


def _require_passed_checks(candidate: ReleaseCandidate, person: Person) -> None:
    """The output passes its checks, and is of what was cleared; on record either way."""
    checks, subject = candidate.checks, candidate.clearance.hashes
    failed = [f"{check.name}: {check.finding}" for check in checks.checks if not check.passed]
    failed += [
        f"the {name} was changed between the check of the sign-off and the render"
        for name, sha256 in (("source", checks.source_sha256), ("record", checks.record_sha256))
        if getattr(subject, name) != sha256
    ]
    audit.append(
        candidate.data.audit,
        audit.Event(
            actor=person.actor,
            kind="verification",
            run=candidate.snapshot.run.id,
            subjects={"output": checks.output_sha256, "checks": sha256_hex(encode_document(checks))},
            details={"passed": not failed},
        ),
    )
    if failed:
        raise CheckFailedError(f"The output does not pass its checks ({'; '.join(failed)}); nothing was released.")


def _build_release(
    candidate: ReleaseCandidate, statement: Statement, final_folder: Path, head: audit.Anchor
) -> Release:
    cleared = candidate.clearance
    return Release(
        schema=SCHEMA,
        run=candidate.snapshot.run.id,
        number=int(final_folder.name),
        folder=str(final_folder),
        output=str(final_folder / candidate.output.name),
        output_sha256=candidate.report.output_sha256,
        statements=(*cleared.statements, statement),
        persons=cleared.persons,
        head=head,
    )
