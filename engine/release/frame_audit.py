"""Frames drawn by lot that a person looks at: what bounds the share of frames in which a face still shows."""

from __future__ import annotations

from datetime import UTC, datetime

from engine import access, audit, runs
from engine import record as records
from engine.access import Person
from engine.assurance.residual_risk import AUDIT_SCHEMA, FrameAudit, audit_sample
from engine.audit import Event
from engine.errors import InputError, SignOffError
from engine.record import Record, Sha256, digest, encode
from engine.release.leak_judgements import known
from engine.review.amendments import Author
from engine.review.load import load_record
from engine.runs import Run
from engine.storage.files import Data, write


def drawn_frames(run: Run, number: int, record: Record | None = None) -> tuple[int, ...]:
    """The frames of a run that the lot gives to look at, in order.

    The same record and amendments give the same frames; an amendment draws others.

    Args:
        run: the run.
        number: of frames; all of them when there are not so many.
        record: of the run, where it is at hand; it is read when left out.

    Raises:
        InputError: `number` is not at least 1.
        RecordError: the record cannot be read.
    """
    return audit_sample(record or records.read(run.folder.record), number, review_sha256(run))


def audit_frames(data: Data, run_id: str, person: Person, number: int, missed: tuple[int, ...]) -> FrameAudit:
    """Put on record what a person found who looked at frames drawn by lot.

    Args:
        data: the data folder.
        run_id: the run.
        person: who looked.
        number: of frames that were drawn.
        missed: those of them in which a face shows that should not.

    Raises:
        AccessError: the role does not allow it.
        InputError: a frame was not drawn.
    """
    person = access.authorise(data, person, "judge")
    run = runs.get(data, run_id)
    record, record_sha256 = load_record(run.folder.record)
    review = review_sha256(run)
    drawn = audit_sample(record, number, review)
    if strangers := set(missed) - set(drawn):
        raise InputError(
            f"Frame {min(strangers)} was not drawn; the frames to look at are {', '.join(map(str, drawn))}."
        )
    found = FrameAudit(
        schema=AUDIT_SCHEMA,
        source_sha256=record.source.sha256,
        record_sha256=record_sha256,
        review_sha256=review,
        drawn=drawn,
        looked=drawn,
        missed=tuple(sorted(missed)),
        by=Author(person.account, person.name),
        at=datetime.now(UTC).astimezone(),
    )
    made = encode(found)
    audit.append(
        data.audit,
        Event(
            actor=person.actor,
            kind="judgement",
            run=run.id,
            subjects={"record": record_sha256, "frames": digest(made)},
            details={"frames": tuple((index, index + 1) for index in drawn), "missed": len(missed)},
        ),
    )
    write(run.folder.frame_audit, made)
    return found


def frame_audit(data: Data, run: Run, record_sha256: Sha256) -> FrameAudit | None:
    """What a person found in frames drawn by lot, of the record and the amendments as they are now.

    Args:
        data: the data folder.
        run: the run.
        record_sha256: of the record's stored bytes.

    Returns:
        None when nobody has looked since the newest amendment.

    Raises:
        SignOffError: the document is not one that the audit log knows.
    """
    path = run.folder.frame_audit
    if not path.exists():
        return None
    if digest(path.read_bytes()) not in known(data, run, "frames"):
        raise SignOffError(f"{path} was tampered with: the audit log knows no such audit of frames.")
    found = records.read_as(path, FrameAudit, "audit of frames")
    return found if (found.record_sha256, found.review_sha256) == (record_sha256, review_sha256(run)) else None


def review_sha256(run: Run) -> Sha256 | None:
    """SHA-256 of the amendments, None when there are none."""
    return digest(run.folder.review.read_bytes()) if run.folder.review.exists() else None
