"""What may still be in the output of a run, as far as it was measured yet."""

from __future__ import annotations

from engine.assurance.residual_risk import ResidualRisk, residual
from engine.release.frame_audit import frame_audit, review_sha256
from engine.release.leak_judgements import judgements, newest_leaks
from engine.release.release_checks import newest_planted
from engine.review.load import load_record
from engine.runs import Run
from engine.storage.files import Data


def risk_of(data: Data, run: Run) -> ResidualRisk:
    """The measures of a run side by side: as far as they are of its record and amendments as they are now.

    Args:
        data: the data folder.
        run: a run with a record.

    Raises:
        RecordError: the record, or a report, cannot be read.
        SignOffError: a report was tampered with.
    """
    record, sha256 = load_record(run.folder.record)
    leaks = newest_leaks(data, run)
    if leaks and (leaks.record_sha256, leaks.review_sha256) != (sha256, review_sha256(run)):
        leaks = None
    return residual(
        record,
        sha256,
        planted=newest_planted(data, run, sha256),
        leaks=leaks,
        judgements=judgements(data, run),
        audit=frame_audit(data, run, sha256),
    )
