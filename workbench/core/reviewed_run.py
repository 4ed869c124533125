"""A run with its record, its review, and both combined."""

from __future__ import annotations

from dataclasses import dataclass

from engine.approval.amendment_log import recover_amendment
from engine.record import Record
from engine.review.amendments import Review
from engine.review.apply import AmendedRecord
from engine.review.queue import ReviewItem, list_items
from engine.runs import Run
from engine.storage.data_folder import find_data_folder
from workbench.core import caches
from workbench.core.track_lanes import TrackLanes, amend_lanes


@dataclass(frozen=True, slots=True)
class ReviewedRun:
    """A run, its record and its review. All sessions share it; an amendment creates a new one.

    Attributes:
        run: the run.
        record: its detection record.
        record_sha256: hash of the stored bytes of the record.
        review: the amendments at the time of reading.
        amended: the record with the amendments applied.
    """

    run: Run
    record: Record
    record_sha256: str
    review: Review
    amended: AmendedRecord

    def get_frame_time_s(self, index: int) -> float:
        """Return the time of a frame in seconds from the first frame, for display only."""
        return self.record.to_seconds(index)


def load_reviewed_run(run: Run) -> ReviewedRun:
    """Load the current record and review of a run.

    Raises:
        RecordError: there is no record, or it or its review cannot be read.
    """
    recover_amendment(find_data_folder(), run, caches.get_record_digest(run))
    review, folded = caches.get_review_state(run)
    return ReviewedRun(run, folded.record, review.record_sha256, review, folded)


def list_review_items(reviewed: ReviewedRun) -> tuple[ReviewItem, ...]:
    """List the items to check, the greatest risk first, each marked as open, accepted or amended."""
    return list_items(caches.get_review_items(reviewed.run), reviewed.amended, reviewed.review)


def list_track_lanes(reviewed: ReviewedRun) -> TrackLanes:
    """Return the frames of each track after the amendments, with the origin of each face."""
    return amend_lanes(caches.get_track_lanes(reviewed.run), reviewed.amended)
