"""The last steps of a release, and the recovery of a release that was interrupted in them.

A release is logged while its folder still has a hidden name. Then it is certified, and the folder gets its final name.
A crash between the two leaves a logged release whose folder is complete but hidden. The next release of the run
finishes it, or logs its withdrawal if the run has changed since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from engine import audit
from engine.access.run_context import RunContext
from engine.approval.statements import Statement, decode_statement, statement_file_name
from engine.audit import SYSTEM_ACTOR
from engine.certificate.issue import write_page_and_signature_again
from engine.core.json_decoder import decode_json
from engine.core.progress import ProgressListener
from engine.record import Sha256, read_document, sha256_hex
from engine.release.anchors import write_anchor
from engine.release.release_hooks import CertifiableRelease, Certifier, ReleaseCandidate
from engine.release.snapshot import SignOffSnapshot
from engine.rendering.report import RenderReport, report_path
from engine.runs import Run
from engine.storage.data_folder import (
    ANCHOR_NAME,
    CERTIFICATE_KEY_NAME,
    CERTIFICATE_NAME,
    CERTIFICATE_PAGE_NAME,
    CERTIFICATE_SIGNATURE_NAME,
    CERTIFICATE_TIME_STAMP_NAME,
    CHECKS_SUFFIX,
    LEAK_REPORT_NAME,
    PLANTED_REPORT_NAME,
    RECORD_NAME,
    REVIEW_NAME,
    DataFolder,
    append_suffix,
)
from engine.storage.files import hash_file
from engine.verification.report import VerifyReport

_CERTIFICATE_NAMES = (
    CERTIFICATE_NAME,
    CERTIFICATE_PAGE_NAME,
    CERTIFICATE_SIGNATURE_NAME,
    CERTIFICATE_KEY_NAME,
    CERTIFICATE_TIME_STAMP_NAME,
)


class InterruptedRelease(NamedTuple):
    """A release that is logged but not published.

    Attributes:
        statement: The statement that releases it.
        folder: Its folder, still under a hidden name.
        output: The video in that folder.
    """

    statement: Statement
    folder: Path
    output: Path

    @property
    def final_folder(self) -> Path:
        """The folder under its final name."""
        return self.folder.with_name(self.folder.name.removeprefix("."))


def checks_path(output: Path) -> Path:
    """Return the path of the verification report of an output."""
    return append_suffix(output, CHECKS_SUFFIX)


def finish_release(
    candidate: ReleaseCandidate, statement: Statement, final_folder: Path, certifiers: Sequence[Certifier]
) -> audit.Anchor:
    """Certify a logged release, write the head of the log beside it, and give its folder the final name.

    Returns:
        The head of the audit log, the release included.

    Raises:
        VeilError: As the certifiers; the next release of the run finishes this one.
    """
    log_folder = candidate.context.data.audit
    # A certificate is logged by its hash. One that is not in the log was written just before a crash: it is made again,
    # so that a release never gets a certificate that the log does not know.
    if _has_logged_certificate(candidate):
        # What lies beside it is not in the log, and could have been changed since.
        key = candidate.context.data.signing_key
        write_page_and_signature_again(candidate.folder, key_path=key if key.exists() else None)
    else:
        for name in _CERTIFICATE_NAMES:
            (candidate.folder / name).unlink(missing_ok=True)
        for certify in certifiers:
            certify(CertifiableRelease(candidate, statement, audit.read_head(log_folder)))
    head = audit.read_head(log_folder)
    write_anchor(candidate.folder, head)
    # The rename publishes the release. It comes last: a reader takes every folder with a final name as complete.
    candidate.folder.rename(final_folder)
    return head


def find_interrupted_release(data: DataFolder, run: Run) -> InterruptedRelease | None:
    """Find the release of a run that is logged and complete but not published.

    Raises:
        AuditError: The audit log cannot be read.
        SignOffError: The statement of the release was tampered with.
    """
    events = list(audit.read_entries(data.audit, run=run.id, kinds=["release"]))
    # The anchor beside a published release lies after its entry, so a newer entry belongs to no published release.
    if not events or events[-1].number <= _find_last_published_number(run):
        return None
    name = statement_file_name(int(str(events[-1].details["number"])))
    path = run.folder.signatures / name
    stored = path.read_bytes() if path.exists() else b""
    if sha256_hex(stored) != events[-1].subjects["statement"]:
        return None
    statement = decode_statement(stored, name)
    for folder in sorted(run.folder.releases.glob(".[0-9]*")):
        output = folder / f"{run.id}{statement.terms['suffix']}"
        # The hash decides, not the name: a hidden folder may also be left by a render that was never signed.
        if output.exists() and hash_file(output) == statement.output:
            return InterruptedRelease(statement, folder, output)
    return None


def count_releases(data: DataFolder, run: Run) -> int:
    """Count the releases of a run in the audit log, without those that were withdrawn."""
    entries = list(audit.read_entries(data.audit, run=run.id, kinds=["release", "refusal"]))
    released = {entry.details["number"] for entry in entries if entry.kind == "release"}
    withdrawn = {entry.details.get("number") for entry in entries if entry.kind == "refusal"}
    return len(released - withdrawn)


def resume_release(
    context: RunContext, snapshot: SignOffSnapshot, interrupted: InterruptedRelease, listener: ProgressListener
) -> ReleaseCandidate | None:
    """Read an interrupted release back, or log its withdrawal if the run has changed since.

    Returns:
        The release as it was before it was certified, None if it was withdrawn.

    Raises:
        SignOffError: Review or approval no longer count.
        RecordError: A document in the folder was tampered with.
    """
    if interrupted.statement.subject != snapshot.sign_off.hashes:
        log_withdrawal(context, interrupted, "the run was changed since")
        return None
    # The certificate states what these files say. A new render takes their place, so that a forged file does not hold
    # the run up for good.
    if foreign := _find_foreign_document(context, snapshot, interrupted):
        why = f"{foreign} was tampered with, it is not the file that the audit log knows"
        log_withdrawal(context, interrupted, why)
        listener.notice(f"The interrupted release was withdrawn: {why}. The output is rendered anew.")
        return None
    return ReleaseCandidate(
        context=context,
        snapshot=snapshot,
        clearance=snapshot.sign_off.clear(),
        folder=interrupted.folder,
        output=interrupted.output,
        report=read_document(report_path(interrupted.output), RenderReport, "report of a render"),
        checks=read_document(checks_path(interrupted.output), VerifyReport, "outcome of the checks"),
        listener=listener,
    )


def _find_foreign_document(
    context: RunContext, snapshot: SignOffSnapshot, interrupted: InterruptedRelease
) -> Path | None:
    """Return a file of an interrupted release that is not what was checked before it was signed."""
    folder, output = interrupted.folder, interrupted.output
    record = {"record": snapshot.sign_off.hashes.record}
    made = {"output": str(interrupted.statement.output)}
    expected = {
        folder / RECORD_NAME: {sha256_hex(snapshot.record_bytes)},
        folder / REVIEW_NAME: {sha256_hex(snapshot.review_bytes)},
        report_path(output): _find_logged(context, "report", made),
        checks_path(output): _find_logged(context, "checks", made),
        folder / LEAK_REPORT_NAME: _find_logged(context, "leaks", made),
        folder / PLANTED_REPORT_NAME: _find_logged(context, "planted", record),
    }
    # What certifying writes is checked by its own hash in the log.
    made_later = {*_CERTIFICATE_NAMES, ANCHOR_NAME, output.name}
    # A file that the log does not know counts as foreign: a certificate would list it as a document of the release.
    foreign = (
        path
        for path in sorted(folder.iterdir())
        if path.name not in made_later and not (path.is_file() and _is_known(path, expected))
    )
    return next(foreign, None)


def _is_known(path: Path, expected: Mapping[Path, set[Sha256]]) -> bool:
    return sha256_hex(path.read_bytes()) in expected.get(path, set())


def _find_logged(context: RunContext, name: str, subjects: Mapping[str, Sha256]) -> set[Sha256]:
    """Return the hashes of one kind of document that the log knows for an output or a record."""
    entries = audit.read_entries(context.data.audit, run=context.run.id, kinds=["verification", "render"])
    return {
        entry.subjects[name]
        for entry in entries
        if name in entry.subjects and subjects.items() <= entry.subjects.items()
    }


def log_withdrawal(context: RunContext, interrupted: InterruptedRelease, why: str) -> None:
    """Log that an interrupted release will not be published.

    Raises:
        AuditError: It cannot be logged.
    """
    assert interrupted.statement.output is not None  # the statement of a release always names the output
    context.log_event(
        "refusal",
        {"output": interrupted.statement.output},
        {"number": interrupted.statement.number},
        f"The release was interrupted before it was published, and is withdrawn: {why}.",
        actor=SYSTEM_ACTOR,
    )


def _find_last_published_number(run: Run) -> int:
    """Return the greatest log entry that a published release is anchored at, 0 if there is no published release."""
    anchors = run.folder.releases.glob(f"[0-9]*/{ANCHOR_NAME}")
    return max((decode_json(path.read_bytes(), type=audit.Anchor).number for path in anchors), default=0)


def _has_logged_certificate(candidate: ReleaseCandidate) -> bool:
    path = candidate.folder / CERTIFICATE_NAME
    if not path.exists():
        return False
    context = candidate.context
    entries = audit.read_entries(context.data.audit, run=context.run.id, kinds=["certificate"])
    return sha256_hex(path.read_bytes()) in {entry.subjects["certificate"] for entry in entries}
