"""What may still be in the output of a run, as far as it was measured yet."""

from __future__ import annotations

from engine.assurance.residual_risk import ResidualRisk, assess_residual_risk
from engine.release.frame_audit import hash_review, read_frame_audit
from engine.release.leak_judgements import read_judgements, read_newest_leak_report
from engine.release.release_checks import read_newest_planted_report
from engine.review.load import load_record
from engine.runs import Run
from engine.storage.files import DataFolder


def compute_residual_risk(data: DataFolder, run: Run) -> ResidualRisk:
    """The measures of a run side by side: as far as they are of its record and amendments as they are now.

    Args:
        data: the data folder.
        run: a run with a record.

    Raises:
        RecordError: the record, or a report, cannot be read.
        SignOffError: a report was tampered with.
    """
    record, sha256 = load_record(run.folder.record)
    leaks = read_newest_leak_report(data, run)
    if leaks and (leaks.record_sha256, leaks.review_sha256) != (sha256, hash_review(run)):
        leaks = None
    return assess_residual_risk(
        record,
        sha256,
        planted=read_newest_planted_report(data, run, sha256),
        leaks=leaks,
        judgements=read_judgements(data, run),
        audit=read_frame_audit(data, run, sha256),
    )
