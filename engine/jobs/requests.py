"""What is asked of a run: its options, who wants it, and what of it goes on record."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from engine import audit, runs
from engine.access import Person
from engine.audit import Actor
from engine.record import DetectOptions, Record, read_document_bytes, sha256_hex
from engine.runs import Run, RunRequest
from engine.storage.data_folder import DataFolder

RunEvent = Literal["queued", "queued again", "begun", "cancelled", "done", "failed"]


def build_run_request(by: Person, source: Path, options: DetectOptions, sha256: str | None = None) -> RunRequest:
    """The request of a person for a run of a source."""
    return RunRequest(
        source=str(source.absolute()),
        source_sha256=sha256,
        detection=options,
        account=by.account,
        name=by.name,
        how=by.how if by.how != "system" else "single-user",
        at=runs.format_utc_now(),
    )


def log_run_event(
    data: DataFolder, run: Run, event: RunEvent, by: Person | None = None, record: Record | None = None
) -> None:
    """Put on record what happens to a run.

    Args:
        data: the data folder.
        run: the run.
        event: what has become of it.
        by: who did it; who asked for the run, when left out.
        record: what was found, once it is written.

    Raises:
        AuditError: it cannot be put on record.
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
