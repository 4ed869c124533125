"""Log the amendments of a run before they are written, and finish what a crash left between the two.

An amendment is logged first: a line that the log does not know was not written by a signed-in reviewer. Its line is
kept in a file of its own until the review has it, so that a crash loses nothing and raises no false alarm.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from engine import audit
from engine.access.run_context import RunContext
from engine.approval.amendment_check import LoggedAmendment
from engine.audit import SYSTEM_ACTOR
from engine.audit.entry import DetailValue
from engine.core.json_decoder import decode_json
from engine.errors import SignOffError
from engine.record import Sha256, sha256_hex
from engine.review.amendments import Amendment, Review
from engine.review.review_file import PreparedAmendment, complete_review
from engine.runs import Run
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file


@dataclass(frozen=True)
class PendingAmendment:
    """The amendment of a run that is logged and not yet written, as `engine.review.review_file` asks for it.

    Its methods are called while the review is locked.

    Attributes:
        data: The data folder.
        run: The run.
        record_sha256: SHA-256 of the stored bytes of the run's record.
    """

    data: DataFolder
    run: Run
    record_sha256: Sha256

    def find_unwritten(self, review: Review) -> bytes:
        """Return the line that was logged and that the review lacks, empty if there is none; log its recovery."""
        pending = self.run.folder.pending_amendment
        line = pending.read_bytes() if pending.exists() else b""
        try:
            amendment = decode_json(line, type=Amendment)
        except msgspec.MsgspecError:
            # Not whole, so not logged either: the file is complete before the log is written.
            return b""
        logged = {one.line for one in read_logged_amendments(self.data, self.run) if one.number == amendment.number}
        sha256 = sha256_hex(line.rstrip(b"\n"))
        if amendment.number != len(review.amendments) + 1 or sha256 not in logged:
            return b""
        event = audit.Event(
            actor=SYSTEM_ACTOR,
            kind="repair",
            run=self.run.id,
            subjects={"record": self.record_sha256, "amendment": sha256},
            details={"action": "recovered", "amendment": amendment.number},
            reason="A crash came between the log entry of the amendment and its line.",
        )
        audit.append(self.data.audit, event)
        return line

    def confirm(self) -> None:
        """Forget the line, because the review has it."""
        self.run.folder.pending_amendment.unlink(missing_ok=True)


@dataclass(frozen=True)
class RunAmendmentLog(PendingAmendment):
    """The log of the amendments that a reviewer adds to a run.

    Attributes:
        context: The run and the reviewer.
    """

    context: RunContext

    def log(self, prepared: PreparedAmendment) -> None:
        """Keep the line of an amendment and log it, before it is written."""
        amendment = prepared.amendment
        write_file(self.run.folder.pending_amendment, prepared.line)
        subjects = {
            "record": self.record_sha256,
            "review": prepared.review_sha256,
            "amendment": sha256_hex(prepared.line.rstrip(b"\n")),
        }
        action = str(msgspec.to_builtins(amendment.action)["kind"])
        details: dict[str, DetailValue] = {"amendment": amendment.number, "action": action}
        self.context.log_event("amendment", subjects, details, amendment.reason or None)


def recover_amendment(data: DataFolder, run: Run, record_sha256: Sha256) -> None:
    """Write the amendment that a crash left logged and unwritten; the log names it as recovered.

    Raises:
        ReviewError: The review is damaged.
        TargetError: The review cannot be written.
        AuditError: The log cannot be read or written.
    """
    # Nearly always there is none; every page and every signature asks.
    if run.folder.pending_amendment.exists():
        complete_review(run.folder.review, record_sha256, PendingAmendment(data, run, record_sha256))


def read_logged_amendments(data: DataFolder, run: Run) -> tuple[LoggedAmendment, ...]:
    """Read the entries about the amendments of a run, oldest first.

    Raises:
        AuditError: The log cannot be read.
    """
    entries = audit.read_entries(data.audit, run=run.id, kinds=["amendment"])
    return extract_logged_amendments(list(entries))


def extract_logged_amendments(entries: list[audit.Entry]) -> tuple[LoggedAmendment, ...]:
    """Extract what entries of the audit log say of single amendments."""
    return tuple(
        LoggedAmendment(
            number,
            entry.actor.account,
            entry.subjects["review"],
            entry.subjects.get("amendment"),
            entry.details.get("action") == "adopt",
        )
        for entry in entries
        if entry.kind == "amendment"
        and isinstance(number := entry.details.get("amendment"), int)
        and "review" in entry.subjects
    )


def find_logged_record(data: DataFolder, run: Run) -> Sha256 | None:
    """Return the SHA-256 of the record that the run's detection wrote, None if the log has none.

    Only the entries of the detection count. An amendment names the record that it was made for, which shows nothing.

    Raises:
        AuditError: The log cannot be read.
    """
    newest = None
    for entry in audit.read_entries(data.audit, run=run.id, kinds=["run"]):
        newest = entry.subjects.get("record", newest)
    return newest


def require_logged_record(data: DataFolder, run: Run, record_sha256: Sha256) -> None:
    """Refuse a record that the run's detection did not write.

    Raises:
        SignOffError: The log has another record, or none.
        AuditError: The log cannot be read.
    """
    logged = find_logged_record(data, run)
    if logged != record_sha256:
        raise SignOffError(
            f"The detection record of {run.title} was changed: it is not the one that the audit log knows. Nothing was "
            "amended. Restore the file from a backup, or detect the source again."
        )
