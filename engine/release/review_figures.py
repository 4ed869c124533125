"""How much of a run was checked, measured from its files and the audit log for a signature."""

from __future__ import annotations

from engine.approval.review_policy import ReviewFigures, build_figures
from engine.approval.reviewer_actions import read_viewed_ranges
from engine.record import sha256_hex
from engine.release.frame_audit import read_frame_audit
from engine.release.snapshot import SignOffSnapshot
from engine.review.coverage import measure_coverage
from engine.review.queue import build_review_queue
from engine.runs import Run
from engine.storage.data_folder import DataFolder


def measure_review(data: DataFolder, snapshot: SignOffSnapshot, account: str) -> ReviewFigures:
    """Measure how much of a run was checked.

    Args:
        data: The data folder.
        snapshot: The run as it is signed.
        account: The account of the person who signs.

    Raises:
        AuditError: The log of what was viewed cannot be read.
        SignOffError: The result of the random sample check is not the one that the log knows.
    """
    record_sha256 = sha256_hex(snapshot.record_bytes)
    items = build_review_queue(snapshot.record, snapshot.review)
    viewed_ranges = read_viewed_ranges(data, snapshot.run.id, record_sha256)
    coverage = measure_coverage(snapshot.record, items, viewed_ranges)
    checked = is_sample_checked(data, snapshot.run, record_sha256)
    return build_figures(items, coverage, account, sample_checked=checked)


def is_sample_checked(data: DataFolder, run: Run, record_sha256: str) -> bool:
    """Whether a random sample check of the current record and amendments found no visible face.

    Raises:
        SignOffError: Its result is not the one that the audit log knows.
    """
    result = read_frame_audit(data, run, record_sha256)
    return result is not None and not result.missed
