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
from engine.approval.workflow import Cleared
from engine.core.progress import Listener, Silent
from engine.errors import CheckFailedError
from engine.record import Document, Sha256, digest, encode
from engine.release.drafts import record_render
from engine.release.recovery import checks_path, finish, interrupted, resumed
from engine.release.release_hooks import Candidate, Certifier, EvidenceStep
from engine.release.release_steps import CERTIFIERS, EVIDENCE
from engine.release.sign import Wish, asked_of, refused, stated
from engine.release.snapshot import Case, held, open_case
from engine.rendering.render import render
from engine.rendering.terms import RenderOptions
from engine.runs import Run
from engine.storage.files import Data, write
from engine.verification.verify import verify

SCHEMA: Literal["veil/release/1"] = "veil/release/1"
_SILENT = Silent()


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
    data: Data,
    run_id: str,
    session: Session,
    credential: Credential | None,
    *,
    options: RenderOptions | None = None,
    suffix: str | None = None,
    reason: str | None = None,
    listener: Listener = _SILENT,
    evidence: Sequence[EvidenceStep] = EVIDENCE,
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
        evidence: what the output goes through before it is released.
        certifiers: what the release is given.

    Raises:
        AccessError: the role does not allow it, the credential is wrong, or the session has ended.
        SignOffError: a step is missing or void, or something was tampered with; the sentence names it.
        CheckFailedError: the output does not pass its checks.
        VeilError: as `engine.render` and `engine.verify` raise.
    """
    person = access.authorise(data, session.person, "release")
    with held(runs.get(data, run_id)):
        case = open_case(data, run_id, options, suffix)
        if why := case.steps.refusal("released", person.account):
            raise refused(data, person, run_id, why)
        cleared = case.steps.clear()
        asked = asked_of(session, credential)
        session = access.confirm(data, session, credential)
        found = interrupted(data, case.run)
        candidate = resumed(data, case, found, listener) if found else None
        if found and candidate:
            statement, final = found.statement, found.final
        else:
            with _unpublished(case.run) as (folder, final):
                candidate = _rendered(data, case, cleared, folder, listener)
                _verified(candidate, person)
                for step in evidence:
                    step(candidate)
            wish = Wish("released", reason)
            statement = stated(data, case, session, asked, wish, candidate.report.output_sha256)
        head = finish(candidate, statement, final, certifiers)
    return _told(candidate, statement, final, head), session


@contextmanager
def _unpublished(run: Run) -> Iterator[tuple[Path, Path]]:
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


def _rendered(data: Data, case: Case, cleared: Cleared, folder: Path, listener: Listener) -> Candidate:
    record, review = folder / "detections.json", folder / "review.jsonl"
    write(record, case.record_bytes)
    if case.review_bytes:
        write(review, case.review_bytes)
    reviewed = review if case.review_bytes else None
    output = folder / f"{case.run.id}{case.terms.suffix}"
    report = render(
        case.run.source, record, output, case.terms.options, review=reviewed, cleared=cleared, listener=listener
    )
    record_render(data, case.run, audit.SYSTEM, report)
    checks = verify(case.run.source, record, output, review=reviewed, listener=listener)
    write(checks_path(output), encode(checks))
    return Candidate(data, case, cleared, folder, output, report, checks, listener)


def _verified(candidate: Candidate, person: Person) -> None:
    """The output passes its checks, and is of what was cleared; on record either way."""
    checks, subject = candidate.checks, candidate.cleared.subject
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
            run=candidate.case.run.id,
            subjects={"output": checks.output_sha256, "checks": digest(encode(checks))},
            details={"passed": not failed},
        ),
    )
    if failed:
        raise CheckFailedError(f"The output does not pass its checks ({'; '.join(failed)}); nothing was released.")


def _told(candidate: Candidate, statement: Statement, final: Path, head: audit.Anchor) -> Release:
    cleared = candidate.cleared
    return Release(
        schema=SCHEMA,
        run=candidate.case.run.id,
        number=int(final.name),
        folder=str(final),
        output=str(final / candidate.output.name),
        output_sha256=candidate.report.output_sha256,
        statements=(*cleared.statements, statement),
        persons=cleared.persons,
        head=head,
    )
