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
from engine import record as records
from engine.approval.statements import Statement, read_statement, statement_name
from engine.audit import SYSTEM, Event
from engine.certificate.document import JSON_NAME, KEY_NAME, PAGE_NAME, SIGNATURE_NAME
from engine.core.progress import Listener
from engine.record import digest
from engine.release.anchors import keep_anchor
from engine.release.release_hooks import Candidate, Certifier, Sealed
from engine.release.snapshot import Case
from engine.rendering.report import RenderReport, report_path
from engine.runs import Run
from engine.storage.files import Data, file_digest
from engine.verification.verify import VerifyReport


class Interrupted(NamedTuple):
    """A release that is on record and not published: its statement, its hidden folder, and the video in it."""

    statement: Statement
    folder: Path
    output: Path

    @property
    def final(self) -> Path:
        """The name that the folder is to have."""
        return self.folder.with_name(self.folder.name.removeprefix("."))


def checks_path(output: Path) -> Path:
    """Where the checks of an output lie."""
    return output.with_name(output.name + ".checks.json")


def finish(candidate: Candidate, statement: Statement, final: Path, certifiers: Sequence[Certifier]) -> audit.Anchor:
    """Certify a release that is on record, lay the head of the log beside it, and give its folder the final name.

    Returns:
        The head of the log, the release included.

    Raises:
        VeilError: as the certifiers; the release can be finished later.
    """
    log = candidate.data.audit
    if not _certified(candidate):
        for name in (JSON_NAME, PAGE_NAME, SIGNATURE_NAME, KEY_NAME):
            (candidate.folder / name).unlink(missing_ok=True)
        for certify in certifiers:
            certify(Sealed(candidate, statement, audit.head(log)))
    head = audit.head(log)
    keep_anchor(candidate.folder, head)
    candidate.folder.rename(final)
    return head


def interrupted(data: Data, run: Run) -> Interrupted | None:
    """The release of a run that is on record and whole, and has not got its final name.

    Raises:
        AuditError: the audit log cannot be read.
        SignOffError: the statement of the release was tampered with.
    """
    events = list(audit.entries(data.audit, run=run.id, kinds=["release"]))
    if not events or events[-1].number <= _published(run):
        return None
    name = statement_name(int(str(events[-1].details["number"])))
    path = run.folder.signatures / name
    stored = path.read_bytes() if path.exists() else b""
    if digest(stored) != events[-1].subjects["statement"]:
        return None
    statement = read_statement(stored, name)
    for folder in sorted(run.folder.releases.glob(".[0-9]*")):
        output = folder / f"{run.id}{statement.terms['suffix']}"
        if output.exists() and file_digest(output) == statement.output:
            return Interrupted(statement, folder, output)
    return None


def resumed(data: Data, case: Case, found: Interrupted, listener: Listener) -> Candidate | None:
    """What an interrupted release was about to publish; None, on record, when the run is another one by now.

    Raises:
        SignOffError: a step of the sign-off does not hold any more.
        RecordError: a document in the folder was tampered with.
    """
    if found.statement.subject != case.steps.subject:
        withdraw(data, case.run, found, "the run was changed since")
        return None
    report = records.read_as(report_path(found.output), RenderReport, "report of a render")
    checks = records.read_as(checks_path(found.output), VerifyReport, "outcome of the checks")
    return Candidate(data, case, case.steps.clear(), found.folder, found.output, report, checks, listener)


def withdraw(data: Data, run: Run, found: Interrupted, why: str) -> None:
    """Put on record that a release which was interrupted will not be published.

    Raises:
        AuditError: it cannot be put on record.
    """
    assert found.statement.output is not None
    audit.append(
        data.audit,
        Event(
            actor=SYSTEM,
            kind="refusal",
            run=run.id,
            subjects={"output": found.statement.output},
            details={"number": found.statement.number},
            reason=f"The release was interrupted before it was published, and is withdrawn: {why}.",
        ),
    )


def _published(run: Run) -> int:
    """The greatest entry of the log that a published release of the run was anchored after; 0 when there is none."""
    anchors = run.folder.releases.glob("[0-9]*/anchor.json")
    return max((msgspec.json.decode(path.read_bytes(), type=audit.Anchor).number for path in anchors), default=0)


def _certified(candidate: Candidate) -> bool:
    """Whether the folder holds a certificate that the log knows."""
    path = candidate.folder / JSON_NAME
    if not path.exists():
        return False
    entries = audit.entries(candidate.data.audit, run=candidate.case.run.id, kinds=["certificate"])
    return digest(path.read_bytes()) in {entry.subjects["certificate"] for entry in entries}
