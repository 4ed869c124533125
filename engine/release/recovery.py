"""The last steps of a release, and what becomes of one that was interrupted in them.

A release is put on record while its folder still has a hidden name; then it is certified, and the folder gets its final
name. A crash between the two leaves a release on record whose folder is whole but hidden: the next release of the run
brings it to its end, or takes it back on record when the run has become another.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine import audit
from engine.approval.statements import Statement, decode_statement, statement_file_name
from engine.audit import SYSTEM_ACTOR, Event
from engine.core.progress import ProgressListener
from engine.record import read_document, sha256_hex
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
    CHECKS_SUFFIX,
    DataFolder,
    append_suffix,
)
from engine.storage.files import hash_file
from engine.verification.report import VerifyReport


class InterruptedRelease(NamedTuple):
    """A release that is on record and not published: its statement, its hidden folder, and the video in it."""

    statement: Statement
    folder: Path
    output: Path

    @property
    def final_folder(self) -> Path:
        """The name that the folder is to have."""
        return self.folder.with_name(self.folder.name.removeprefix("."))


def checks_path(output: Path) -> Path:
    """Where the checks of an output lie."""
    return append_suffix(output, CHECKS_SUFFIX)


def finish_release(
    candidate: ReleaseCandidate, statement: Statement, final_folder: Path, certifiers: Sequence[Certifier]
) -> audit.Anchor:
    """Certify a release that is on record, lay the head of the log beside it, and give its folder the final name.

    Returns:
        The head of the log, the release included.

    Raises:
        VeilError: as the certifiers; the release can be finished later.
    """
    log = candidate.data.audit
    if not _has_logged_certificate(candidate):
        for name in (CERTIFICATE_NAME, CERTIFICATE_PAGE_NAME, CERTIFICATE_SIGNATURE_NAME, CERTIFICATE_KEY_NAME):
            (candidate.folder / name).unlink(missing_ok=True)
        for certify in certifiers:
            certify(CertifiableRelease(candidate, statement, audit.read_head(log)))
    head = audit.read_head(log)
    write_anchor(candidate.folder, head)
    candidate.folder.rename(final_folder)
    return head


def find_interrupted_release(data: DataFolder, run: Run) -> InterruptedRelease | None:
    """The release of a run that is on record and whole, and has not got its final name.

    Raises:
        AuditError: the audit log cannot be read.
        SignOffError: The statement of the release cannot be read.
    """
    events = list(audit.read_entries(data.audit, run=run.id, kinds=["release"]))
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
        if output.exists() and hash_file(output) == statement.output:
            return InterruptedRelease(statement, folder, output)
    return None


def resume_release(
    data: DataFolder, snapshot: SignOffSnapshot, interrupted_release: InterruptedRelease, listener: ProgressListener
) -> ReleaseCandidate | None:
    """What an interrupted release was about to publish; None, on record, when the run is another one by now.

    Raises:
        SignOffError: a step of the sign-off does not hold any more.
        RecordError: A document in the folder cannot be read.
    """
    if interrupted_release.statement.subject != snapshot.sign_off.hashes:
        log_withdrawal(data, snapshot.run, interrupted_release, "the run was changed since")
        return None
    report = read_document(report_path(interrupted_release.output), RenderReport, "report of a render")
    checks = read_document(checks_path(interrupted_release.output), VerifyReport, "outcome of the checks")
    return ReleaseCandidate(
        data,
        snapshot,
        snapshot.sign_off.clear(),
        interrupted_release.folder,
        interrupted_release.output,
        report,
        checks,
        listener,
    )


def log_withdrawal(data: DataFolder, run: Run, interrupted_release: InterruptedRelease, why: str) -> None:
    """Put on record that a release which was interrupted will not be published.

    Raises:
        AuditError: it cannot be put on record.
    """
    assert interrupted_release.statement.output is not None
    audit.append(
        data.audit,
        Event(
            actor=SYSTEM_ACTOR,
            kind="refusal",
            run=run.id,
            subjects={"output": interrupted_release.statement.output},
            details={"number": interrupted_release.statement.number},
            reason=f"The release was interrupted before it was published, and is withdrawn: {why}.",
        ),
    )


def _find_last_published_number(run: Run) -> int:
    """The greatest entry of the log that a published release of the run was anchored after; 0 when there is none."""
    anchors = run.folder.releases.glob(f"[0-9]*/{ANCHOR_NAME}")
    return max((msgspec.json.decode(path.read_bytes(), type=audit.Anchor).number for path in anchors), default=0)


def _has_logged_certificate(candidate: ReleaseCandidate) -> bool:
    """Whether the folder holds a certificate that the log knows."""
    path = candidate.folder / CERTIFICATE_NAME
    if not path.exists():
        return False
    entries = audit.read_entries(candidate.data.audit, run=candidate.snapshot.run.id, kinds=["certificate"])
    return sha256_hex(path.read_bytes()) in {entry.subjects["certificate"] for entry in entries}
