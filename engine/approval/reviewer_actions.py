"""Actions of a reviewer on a run: the permission is checked, the review is written, and the action is logged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from engine import audit
from engine.access.run_context import RunContext
from engine.approval.amendment_log import RunAmendmentLog, read_logged_amendments, require_logged_record
from engine.audit.entry import DetailValue
from engine.core.frame_ranges import FrameRange, merge_ranges
from engine.errors import RecordError
from engine.record import Record, Sha256, encode_document, sha256_hex
from engine.review.amendments import Action, Amendment, Author
from engine.review.people_file import PeopleAction, append_arrangement
from engine.review.review_file import append_amendments, read_review, repair_review
from engine.storage.data_folder import DataFolder


@dataclass(frozen=True, slots=True)
class ReviewerActions:
    """The actions that a reviewer can take on a run.

    Attributes:
        context: The run and the reviewer.
        record_sha256: SHA-256 of the stored bytes of the run's record.
    """

    context: RunContext
    record_sha256: Sha256

    def amend(self, record: Record, action: Action, reason: str = "") -> Amendment:
        """Add an amendment to the review.

        Args:
            record: The run's record.
            action: The change.
            reason: The reason for the change.

        Raises:
            AccessError: The person may not amend.
            RecordError: The amendment does not fit, or the review cannot be read; nothing was written.
            TargetError: The review cannot be written.
            SignOffError: The record is not the one that was detected; nothing was written.
            AuditError: The amendment could not be logged; nothing was written.
        """
        return self.amend_all(record, [action], reason)[0]

    def amend_all(self, record: Record, actions: Sequence[Action], reason: str = "") -> tuple[Amendment, ...]:
        """Add several amendments with one reason to the review, all of them or none.

        Args:
            record: The run's record.
            actions: The changes, at least one.
            reason: The reason for all of them.

        Raises:
            VeilError: As for `amend`.
        """
        context = self.context.authorise("amend")
        # An amendment binds the person to the record that it was made for, so that must be the one that was detected.
        require_logged_record(context.data, context.run, self.record_sha256)
        log = RunAmendmentLog(context.data, context.run, self.record_sha256, context)
        path = context.run.folder.review
        return append_amendments(path, record, self.record_sha256, actions, _author(context), reason, log=log)

    def adopt(self) -> tuple[Amendment, ...]:
        """Take over the amendments that are in the review but not in the audit log, after looking at them.

        They were written by another program or an earlier version, or by nobody knows whom. From now on they count as
        made by the person who takes them over as well as by the account that they name, so neither can approve.

        Returns:
            The amendments that were taken over.

        Raises:
            AccessError: The person may not amend.
            RecordError: The review cannot be read.
            SignOffError: The record is not the one that was detected.
            AuditError: They cannot be logged.
        """
        context = self.context.authorise("amend")
        require_logged_record(context.data, context.run, self.record_sha256)
        review = read_review(context.run.folder.review, self.record_sha256, missing_ok=True)
        known = {entry.number for entry in read_logged_amendments(context.data, context.run)}
        unknown = tuple(amendment for amendment in review.amendments if amendment.number not in known)
        for amendment in unknown:
            subjects = {
                "record": self.record_sha256,
                "review": review.sha256,
                "amendment": sha256_hex(encode_document(amendment).rstrip(b"\n")),
            }
            details: dict[str, DetailValue] = {
                "amendment": amendment.number,
                "action": "adopt",
                "author": amendment.by.account,
            }
            context.log_event("amendment", subjects, details, "Not logged when it was written.")
        return unknown

    def arrange_people(self, action: PeopleAction) -> None:
        """Join or split people, or name one. It changes no mask, so it is no amendment and not logged.

        Raises:
            AccessError: The person may not amend.
            TargetError: The file of the people cannot be written.
        """
        context = self.context.authorise("amend")
        append_arrangement(context.run.folder.people, self.record_sha256, action, _author(context))

    def repair(self) -> None:
        """Complete or remove an unfinished line at the end of the review, as a crash leaves it.

        Raises:
            AccessError: The person may not amend.
            RecordError: The review is damaged in another way.
            TargetError: The review cannot be written.
            AuditError: The review is repaired, but the repair could not be logged.
        """
        context = self.context.authorise("amend")
        repair_review(context.run.folder.review, self.record_sha256)
        # The review is read again: the log keeps the hash of the whole file, which another reviewer may have extended.
        review = read_review(context.run.folder.review, self.record_sha256)
        subjects = {"record": self.record_sha256, "review": review.sha256}
        context.log_event("amendment", subjects, {"action": "repair"}, "The last line was cut short by a crash.")

    def record_viewed(self, frame_count: int, viewed_ranges: Sequence[FrameRange]) -> None:
        """Log which frames the person viewed.

        Args:
            frame_count: Number of frames of the run.
            viewed_ranges: Half-open ranges of frame indices.

        Raises:
            AccessError: The person may not view the frames.
            RecordError: A range lies outside of the video.
            AuditError: The view cannot be logged.
        """
        context = self.context.authorise("look")
        # The ranges come from a browser.
        for start, stop in viewed_ranges:
            if not 0 <= start < stop <= frame_count:
                raise RecordError(
                    f"{context.run.title} has {frame_count} frames, so frames {start} to {stop - 1} cannot be viewed."
                )
        if viewed_ranges:
            context.log_event("view", {"record": self.record_sha256}, {"frames": merge_ranges(viewed_ranges)})


def _author(context: RunContext) -> Author:
    return Author(context.person.account, context.person.name)


def read_viewed_ranges(data: DataFolder, run_id: str, record_sha256: Sha256) -> Mapping[str, tuple[FrameRange, ...]]:
    """Return the frames of a run that each account viewed, as half-open ranges.

    Views of an earlier record do not count.

    Raises:
        AuditError: The log cannot be read.
    """
    viewed: defaultdict[str, list[FrameRange]] = defaultdict(list)
    for entry in audit.read_entries(data.audit, run=run_id, kinds=["view"]):
        frames = entry.details.get("frames")
        if entry.subjects.get("record") == record_sha256 and isinstance(frames, tuple):
            viewed[entry.actor.account] += frames
    return {account: merge_ranges(ranges) for account, ranges in viewed.items()}


def parse_action(values: object) -> Action:
    """Parse an action from plain values, as JSON gives them.

    Raises:
        RecordError: The values are not an action, or contradict each other.
    """
    try:
        return cast("Action", msgspec.convert(values, cast("Any", Action)))
    except (msgspec.ValidationError, ValueError) as error:
        raise RecordError(f"That cannot be amended: {error}.") from error


def kind_from_action(action: Action) -> str:
    """Return the name of an action's kind, as its JSON has it."""
    return str(msgspec.to_builtins(action)["kind"])
