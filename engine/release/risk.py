"""The residual risk of a run, and the reports it is computed from."""

from __future__ import annotations

from engine.assurance.leak_check.report import LeakReport
from engine.assurance.residual_risk import ResidualRisk, RiskInputs, assess_residual_risk
from engine.record import Record, Sha256
from engine.release.frame_audit import hash_review, read_frame_audit
from engine.release.leak_judgements import read_judgements, read_leak_report, read_newest_leak_report
from engine.release.release_checks import read_newest_planted_report
from engine.review.load import load_record
from engine.runs import Run
from engine.storage.data_folder import DataFolder


def compute_residual_risk(data: DataFolder, run: Run) -> ResidualRisk:
    """Compute the measures of a run from those of its reports that are of its current record and review.

    Args:
        data: The data folder.
        run: A run with a record.

    Raises:
        RecordError: The record or a report cannot be read.
        SignOffError: A report is not the one in the audit log.
    """
    record, record_sha256 = load_record(run.folder.record)
    leaks = read_newest_leak_report(data, run)
    if leaks and (leaks.record_sha256, leaks.review_sha256) != (record_sha256, hash_review(run)):
        leaks = None
    return assess_residual_risk(_collect_inputs(data, run, record, record_sha256, leaks))


def collect_risk_inputs(
    data: DataFolder, run: Run, record: Record, record_sha256: Sha256, output_sha256: Sha256
) -> RiskInputs:
    """Collect the reports that the measures for one output of a run are computed from.

    Raises:
        RecordError: A report cannot be read.
        SignOffError: A report is not the one in the audit log.
    """
    return _collect_inputs(data, run, record, record_sha256, read_leak_report(data, run, output_sha256))


def _collect_inputs(
    data: DataFolder, run: Run, record: Record, record_sha256: Sha256, leaks: LeakReport | None
) -> RiskInputs:
    judgements = read_judgements(data, run)
    return RiskInputs(
        record,
        record_sha256,
        planted=read_newest_planted_report(data, run, record_sha256),
        leaks=leaks,
        # Judgements of an earlier output say nothing about this one: its faces may be masked differently.
        judgements=tuple(one for one in judgements if leaks and one.output_sha256 == leaks.output_sha256),
        audit=read_frame_audit(data, run, record_sha256),
    )
