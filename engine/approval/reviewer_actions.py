"""What a reviewer does to a run: checked for who may, written to the review, and put on record in the audit log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from engine import access, audit
from engine.access import Person
from engine.core.frame_ranges import FrameRange, merge_ranges
from engine.errors import RecordError
from engine.record import Record, Sha256
from engine.review.amendments import Action, Amendment, Author
from engine.review.review_file import append_amendment, read_review, repair_review
from engine.runs import Run
from engine.storage.data_folder import DataFolder


@dataclass(frozen=True, slots=True)
class ReviewerActions:
    """A person before a run.

    Attributes:
        data: the data folder.
        person: who reviews.
        run: what is reviewed.
        record_sha256: of the stored bytes of the run's record.
    """

    data: DataFolder
    person: Person
    run: Run
    record_sha256: Sha256

    def amend(self, record: Record, action: Action, reason: str = "") -> Amendment:
        """Add an amendment to the review.

        Args:
            record: the run's record.
            action: what is to be changed.
            reason: why.

        Raises:
            AccessError: the person may not amend.
            RecordError: the amendment does not fit, or the review cannot be read; nothing was written.
            TargetError: the review cannot be written.
            AuditError: the amendment is written and stands, but the log could not be.
        """
        person = access.authorise(self.data, self.person, "amend")
        author = Author(person.account, person.name)
        amendment = append_amendment(self.run.folder.review, record, self.record_sha256, action, author, reason)
        self._log_amendment({"amendment": amendment.number, "action": kind_from_action(action)}, amendment.reason)
        return amendment

    def repair(self) -> None:
        """Take away what a crash has left of an unfinished line at the end of the review.

        Raises:
            AccessError: the person may not amend.
            RecordError: the review is damaged in another way.
            TargetError: it cannot be written.
            AuditError: it is mended, but the log could not be written.
        """
        access.authorise(self.data, self.person, "amend")
        repair_review(self.run.folder.review, self.record_sha256)
        self._log_amendment({"action": "repair"}, "The last line was cut short by a crash.")

    def record_viewed(self, frame_count: int, viewed_ranges: Sequence[FrameRange]) -> None:
        """Put on record which frames the person really saw.

        Args:
            frame_count: how many the run has.
            viewed_ranges: half-open ranges of frame indices.

        Raises:
            AccessError: the person may not look.
            RecordError: there are no such frames.
            AuditError: it cannot be put on record.
        """
        person = access.authorise(self.data, self.person, "look")
        for start, stop in viewed_ranges:
            if not 0 <= start < stop <= frame_count:
                raise RecordError(f"{self.run.title} has {frame_count} frames, and none from {start} to {stop - 1}.")
        if viewed_ranges:
            event = audit.Event(
                actor=person.actor,
                kind="view",
                run=self.run.id,
                subjects={"record": self.record_sha256},
                details={"frames": merge_ranges(viewed_ranges)},
            )
            audit.append(self.data.audit, event)

    def _log_amendment(self, details: Mapping[str, str | int], reason: str) -> None:
        review = read_review(self.run.folder.review, self.record_sha256)
        event = audit.Event(
            actor=self.person.actor,
            kind="amendment",
            run=self.run.id,
            subjects={"record": self.record_sha256, "review": review.sha256},
            details=details,
            reason=reason or None,
        )
        audit.append(self.data.audit, event)


def read_viewed_ranges(data: DataFolder, run_id: str, record_sha256: Sha256) -> Mapping[str, tuple[FrameRange, ...]]:
    """By account, the frames of a run that it saw, as half-open ranges; views of another record do not count.

    Raises:
        AuditError: the log cannot be read.
    """
    found: defaultdict[str, list[FrameRange]] = defaultdict(list)
    for entry in audit.read_entries(data.audit, run=run_id, kinds=["view"]):
        frames = entry.details.get("frames")
        if entry.subjects.get("record") == record_sha256 and isinstance(frames, tuple):
            found[entry.actor.account] += frames
    return {account: merge_ranges(spans) for account, spans in found.items()}


def parse_action(values: object) -> Action:
    """An action from plain values, as JSON gives them.

    Raises:
        RecordError: it is none, or says something that cannot be.
    """
    try:
        return cast("Action", msgspec.convert(values, cast("Any", Action)))
    except (msgspec.ValidationError, ValueError) as error:
        raise RecordError(f"That cannot be amended: {error}.") from error


def kind_from_action(action: Action) -> str:
    """The name of an action's kind, as its JSON has it."""
    return str(msgspec.to_builtins(action)["kind"])
