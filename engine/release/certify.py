"""Every release is given a certificate; the audit log knows its bytes."""

from __future__ import annotations

from engine import audit
from engine.assurance.leak_check.report import LeakReport
from engine.assurance.residual_risk import assess_residual_risk
from engine.audit import Actor, Event
from engine.certificate.document import CertificateInputs
from engine.certificate.issue import issue_certificate
from engine.record import read_document
from engine.release.frame_audit import read_frame_audit
from engine.release.leak_judgements import LEAK_REPORT_TITLE, read_judgements
from engine.release.release_checks import LEAK_REPORT_NAME, read_planted_report
from engine.release.release_hooks import CertifiableRelease


def certify(released: CertifiableRelease) -> None:
    """Write the certificate of a release, with the organisation's signature when it keeps a key (`access/key.pem`).

    Raises:
        VeilError: as `issue`; AuditError when it cannot be put on record.
    """
    candidate, statement = released.candidate, released.statement
    data, run, folder = candidate.data, candidate.snapshot.run, candidate.folder
    leaks = folder / LEAK_REPORT_NAME
    found = read_document(leaks, LeakReport, LEAK_REPORT_TITLE) if leaks.exists() else None
    judged = tuple(one for one in read_judgements(data, run) if found and one.output_sha256 == found.output_sha256)
    evidence = CertificateInputs(
        run_id=run.id,
        output_path=candidate.output,
        record=candidate.snapshot.record,
        review=candidate.snapshot.review if candidate.review_path else None,
        render=candidate.report,
        verification=candidate.checks,
        statements=(*candidate.clearance.statements, statement),
        required_persons=candidate.clearance.persons,
        log_head=released.head,
        document_paths=sorted(path for path in folder.iterdir() if path.is_file() and path != candidate.output),
        leak_report_path=leaks if found else None,
        judgements=judged,
        risk=assess_residual_risk(
            candidate.snapshot.record,
            candidate.report.record_sha256,
            planted=read_planted_report(candidate),
            leaks=found,
            judgements=judged,
            audit=read_frame_audit(data, run, candidate.report.record_sha256),
        ),
        source_suffix=run.source.suffix,
    )
    key = data.access / "key.pem"
    sha256 = issue_certificate(evidence, folder, key_path=key if key.exists() else None)
    audit.append(
        data.audit,
        Event(
            actor=Actor(statement.account, statement.name, statement.how),
            kind="certificate",
            run=run.id,
            subjects={"output": candidate.report.output_sha256, "certificate": sha256},
        ),
    )
