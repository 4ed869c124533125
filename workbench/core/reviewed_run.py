"""A run as a reviewer has it before them: the record, what was said of it so far, and both together."""

from __future__ import annotations

from dataclasses import dataclass

from engine.record import Record, parse_ratio
from engine.review.amendments import Review
from engine.review.apply import AmendedRecord
from engine.review.queue import ReviewItem, mark_items
from engine.runs import Run
from workbench.core import caches
from workbench.core.track_lanes import TrackLanes, amend_lanes


@dataclass(frozen=True, slots=True)
class ReviewedRun:
    """What is looked at. Shared by all sessions and never changed: an amendment makes another one.

    Attributes:
        record_sha256: of the record's stored bytes.
        review: the amendments when this was read.
        amended: the record with its amendments applied.
    """

    run: Run
    record: Record
    record_sha256: str
    review: Review
    amended: AmendedRecord

    def get_frame_time_s(self, index: int) -> float:
        """When a frame is shown, on a clock that starts with the first one; for screens."""
        ticks = self.record.frames[index].pts - self.record.frames[0].pts
        return float(ticks * parse_ratio(self.record.source.video.time_base))


def load_reviewed_run(run: Run) -> ReviewedRun:
    """The case as it stands now.

    Raises:
        RecordError: there is no record, or it or its review cannot be read.
    """
    review, folded = caches.get_review_state(run)
    return ReviewedRun(run, folded.record, review.record_sha256, review, folded)


def list_review_items(reviewed: ReviewedRun) -> tuple[ReviewItem, ...]:
    """The doubtful spots, the greatest risk first, each with what the review made of it."""
    return mark_items(caches.get_review_items(reviewed.run), reviewed.review)


def list_track_lanes(reviewed: ReviewedRun) -> TrackLanes:
    """Where each track is, by the origin of its faces."""
    return amend_lanes(caches.get_track_lanes(reviewed.run), reviewed.amended)
