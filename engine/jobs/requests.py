"""What is asked of a run: its options, who wants it, and what of it goes on record."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from engine import audit, runs
from engine.access import Person
from engine.audit import Actor
from engine.detection.options import DetectOptions, plans
from engine.record import Record, digest, read_bytes
from engine.runs import Asked, Run, RunRequest
from engine.storage.files import Data

Happening = Literal["queued", "queued again", "begun", "cancelled", "done", "failed"]


def options_of(asked: Asked) -> DetectOptions:
    """The options of a detection, as the request of a run has them."""
    return DetectOptions(**msgspec.structs.asdict(asked))


def asked_of(options: DetectOptions) -> Asked:
    """The options of a detection, as the request of a run keeps them.

    Raises:
        msgspec.ValidationError: a parameter is of a kind that no detector takes.
    """
    return msgspec.convert(
        {name: getattr(options, name) for name in Asked.__struct_fields__}, Asked, from_attributes=True
    )


def check(asked: Asked) -> None:
    """Refuse options that no detection takes, before a run is made of them.

    Raises:
        InputError: a mode, detector or parameter is unknown, or its value is wrong.
    """
    plans(options_of(asked))


def requested(by: Person, source: Path, asked: Asked, sha256: str | None = None) -> RunRequest:
    """The request of a person for a run of a source."""
    return RunRequest(
        source=str(source.absolute()),
        source_sha256=sha256,
        detection=asked,
        account=by.account,
        name=by.name,
        how=by.how if by.how != "system" else "single-user",
        at=runs.now(),
    )


def note(data: Data, run: Run, state: Happening, by: Person | None = None, record: Record | None = None) -> None:
    """Put on record what happens to a run.

    Args:
        data: the data folder.
        run: the run.
        state: what has become of it.
        by: who did it; who asked for the run, when left out.
        record: what was found, once it is written.

    Raises:
        AuditError: it cannot be put on record.
    """
    request = run.request
    actor = by.actor if by else Actor(request.account, request.name, request.how)
    subjects = {"source": request.source_sha256} if request.source_sha256 else {}
    if record is not None:
        subjects = {"source": record.source.sha256, "record": digest(read_bytes(run.folder.record))}
    audit.append(
        data.audit,
        audit.Event(
            actor=actor,
            kind="run",
            run=run.id,
            subjects=subjects,
            details={"state": state, "mode": request.detection.mode},
        ),
    )
