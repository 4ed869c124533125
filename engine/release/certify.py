"""Write the certificate of a release and log its hash."""

from __future__ import annotations

from collections.abc import Sequence

from engine.access.logged_file import signing_key_file
from engine.approval.notes import read_notes
from engine.assurance.residual_risk import assess_residual_risk
from engine.audit import SYSTEM_ACTOR, Actor
from engine.certificate.document import CertificateInputs
from engine.certificate.issue import issue_certificate
from engine.errors import TimeStampError
from engine.release.release_hooks import CertifiableRelease, Certifier
from engine.release.risk import collect_risk_inputs
from engine.release.time_stamps import stamp_release
from engine.storage.data_folder import LEAK_REPORT_NAME


def certify(released: CertifiableRelease) -> None:
    """Write the certificate of a release, signed if the organisation keeps a key (`access/key.pem`).

    Raises:
        VeilError: As `issue_certificate`; AuditError if the certificate cannot be logged.
    """
    candidate, statement = released.candidate, released.statement
    context, folder = candidate.context, candidate.folder
    data, run = context.data, context.run
    report_path = folder / LEAK_REPORT_NAME
    # The certificate covers the documents that are in the folder now, so it is written after all of them.
    risk_inputs = collect_risk_inputs(
        data, run, candidate.snapshot.record, candidate.report.record_sha256, candidate.report.output_sha256
    )
    certificate_inputs = CertificateInputs(
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
        leak_report_path=report_path if report_path.exists() else None,
        judgements=risk_inputs.judgements,
        risk=assess_residual_risk(risk_inputs),
        source_suffix=run.source.suffix,
        notes=read_notes(run),
    )
    key, key_file = data.signing_key, signing_key_file(data)
    if key.exists() and not key_file.is_logged():
        key_file.log_content(SYSTEM_ACTOR, "the key of an earlier version signs certificates")
    sha256 = issue_certificate(certificate_inputs, folder, key_path=key if key.exists() else None)
    context.log_event(
        "certificate",
        {"output": candidate.report.output_sha256, "certificate": sha256},
        # A release that was interrupted is certified later, perhaps by another person: the signer stays the actor.
        actor=Actor(statement.account, statement.name, statement.how),
    )


def stamp_certificate(released: CertifiableRelease) -> None:
    """Get a time stamp for the certificate, if an administrator has named an authority.

    An authority that does not answer does not hold the release up: `veil certificate stamp` asks again.

    Raises:
        VeilError: The stamp or its log entry cannot be written.
    """
    candidate, statement = released.candidate, released.statement
    actor = Actor(statement.account, statement.name, statement.how)
    try:
        stamp_release(candidate.context.data, candidate.folder, candidate.context.run.id, actor)
    except TimeStampError as error:
        candidate.listener.notice(f"{error} The release has none; veil certificate stamp asks again.")
        candidate.context.log_event("refusal", details={"what": "time stamp"}, reason=str(error), actor=actor)


CERTIFIERS: Sequence[Certifier] = (certify, stamp_certificate)
"""Run in this order when a release is signed and logged."""
