"""Requests for runs, and the events of runs in the audit log."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine import audit, runs
from engine.access import Person
from engine.audit import Actor
from engine.jobs.cases import Priority
from engine.record import DetectOptions, Record, read_document_bytes, sha256_hex
from engine.runs import Run, RunRequest
from engine.storage.data_folder import DataFolder

RunEvent = Literal["queued", "queued again", "begun", "cancelled", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Submission:
    """What is said about a run when it is added to the queue, besides source and options.

    Attributes:
        sha256: hash of the video, if it is known already.
        group: identifier that runs which are started together share, from `create_group`.
        priority: place in the queue.
    """

    sha256: str | None = None
    group: str | None = None
    priority: Priority = "normal"


NO_SUBMISSION = Submission()
"""Nothing is said besides source and options."""


def create_group() -> str:
    """Create an identifier for runs that are started together."""
    return secrets.token_hex(8)


def build_run_request(
    by: Person,
    source: Path,
    options: DetectOptions,
    submission: Submission = NO_SUBMISSION,
    title: str | None = None,
) -> RunRequest:
    """Build the request of a person for a run of a source.

    Args:
        by: the person.
        source: the video.
        options: options of the detection.
        submission: what else is known about it.
        title: title of the run for people; the name of the source if None.
    """
    return RunRequest(
        source=str(source.absolute()),
        source_sha256=submission.sha256,
        detection=options,
        account=by.account,
        name=by.name,
        how=by.how if by.how != "system" else "single-user",
        at=runs.format_utc_now(),
        title=title,
        group=submission.group,
    )


def log_run_event(
    data: DataFolder, run: Run, event: RunEvent, by: Person | None = None, record: Record | None = None
) -> None:
    """Write an event of a run to the audit log.

    Args:
        data: the data folder.
        run: the run.
        event: the event.
        by: the person who caused it; the person who started the run if None.
        record: the record, once it is written.

    Raises:
        AuditError: the event cannot be logged.
    """
    request = run.request
    actor = by.actor if by else Actor(request.account, request.name, request.how)
    subjects = {"source": request.source_sha256} if request.source_sha256 else {}
    if record is not None:
        subjects = {"source": record.source.sha256, "record": sha256_hex(read_document_bytes(run.folder.record))}
    audit.append(
        data.audit,
        audit.Event(
            actor=actor,
            kind="run",
            run=run.id,
            subjects=subjects,
            details={"state": event, "mode": request.detection.mode},
        ),
    )
