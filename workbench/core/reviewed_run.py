"""A run as a reviewer has it before them: the record, what was said of it so far, and both together."""

from __future__ import annotations

from dataclasses import dataclass

from engine import record as records
from engine.record import Record
from engine.review.amendments import Review
from engine.review.apply import Folded
from engine.review.queue import Spot, marked
from engine.runs import Run
from workbench.core import caches
from workbench.core.track_lanes import Lanes, amended_lanes


@dataclass(frozen=True, slots=True)
class Case:
    """What is looked at. Shared by all sessions and never changed: an amendment makes another one.

    Attributes:
        record_sha256: of the record's stored bytes.
        review: the amendments when this was read.
        folded: the record with its amendments applied.
    """

    run: Run
    record: Record
    record_sha256: str
    review: Review
    folded: Folded

    def seconds(self, index: int) -> float:
        """When a frame is shown, on a clock that starts with the first one; for screens."""
        ticks = self.record.frames[index].pts - self.record.frames[0].pts
        return float(ticks * records.fraction(self.record.source.video.time_base))


def case_of(run: Run) -> Case:
    """The case as it stands now.

    Raises:
        RecordError: there is no record, or it or its review cannot be read.
    """
    review, folded = caches.folded_of(run)
    return Case(run, folded.record, review.record_sha256, review, folded)


def spots_of(case: Case) -> tuple[Spot, ...]:
    """The doubtful spots, the greatest risk first, each with what the review made of it."""
    return marked(caches.spots_found(case.run), case.review)


def tracks_of(case: Case) -> Lanes:
    """Where each track is, by the origin of its faces."""
    return amended_lanes(caches.lanes_found(case.run), case.folded)
