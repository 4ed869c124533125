"""Every release is given a certificate; the audit log knows its bytes."""

from __future__ import annotations

from engine import audit
from engine import record as records
from engine.assurance.leak_check.report import LeakReport
from engine.assurance.residual_risk import residual
from engine.audit import Actor, Event
from engine.certificate.document import Evidence
from engine.certificate.issue import issue
from engine.release.frame_audit import frame_audit
from engine.release.leak_judgements import LEAKS, judgements
from engine.release.release_checks import LEAKS_NAME, planted_of
from engine.release.release_hooks import Sealed


def certify(sealed: Sealed) -> None:
    """Write the certificate of a release, with the organisation's signature when it keeps a key (`access/key.pem`).

    Raises:
        VeilError: as `issue`; AuditError when it cannot be put on record.
    """
    candidate, statement = sealed.candidate, sealed.statement
    data, run, folder = candidate.data, candidate.case.run, candidate.folder
    leaks = folder / LEAKS_NAME
    found = records.read_as(leaks, LeakReport, LEAKS) if leaks.exists() else None
    judged = tuple(one for one in judgements(data, run) if found and one.output_sha256 == found.output_sha256)
    evidence = Evidence(
        run=run.id,
        output=candidate.output,
        record=candidate.case.record,
        review=candidate.case.review if candidate.review else None,
        render=candidate.report,
        checks=candidate.checks,
        statements=(*candidate.cleared.statements, statement),
        persons=candidate.cleared.persons,
        head=sealed.head,
        documents=sorted(path for path in folder.iterdir() if path.is_file() and path != candidate.output),
        leaks=leaks if found else None,
        judgements=judged,
        risk=residual(
            candidate.case.record,
            candidate.report.record_sha256,
            planted=planted_of(candidate),
            leaks=found,
            judgements=judged,
            audit=frame_audit(data, run, candidate.report.record_sha256),
        ),
        source_suffix=run.source.suffix,
    )
    key = data.access / "key.pem"
    sha256 = issue(evidence, folder, key=key if key.exists() else None)
    audit.append(
        data.audit,
        Event(
            actor=Actor(statement.account, statement.name, statement.how),
            kind="certificate",
            run=run.id,
            subjects={"output": candidate.report.output_sha256, "certificate": sha256},
        ),
    )
