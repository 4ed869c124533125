"""Frames drawn by lot that a person looks at: what bounds the share of frames in which a face still shows."""

from __future__ import annotations

from engine import access, audit, runs
from engine.access import Person
from engine.assurance.frame_audit import FrameAudit, build_frame_audit, draw_audit_frames
from engine.audit import Event
from engine.errors import SignOffError
from engine.record import Record, Sha256, encode_document, read_document, read_record, sha256_hex
from engine.release.leak_judgements import find_logged_hashes
from engine.review.amendments import Author
from engine.review.load import load_record
from engine.runs import Run
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file


def draw_run_audit_frames(run: Run, number: int, record: Record | None = None) -> tuple[int, ...]:
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
    return draw_audit_frames(record or read_record(run.folder.record), number, hash_review(run))


def save_frame_audit(data: DataFolder, run_id: str, person: Person, number: int, missed: tuple[int, ...]) -> FrameAudit:
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
    run = runs.load_run(data, run_id)
    record, record_sha256 = load_record(run.folder.record)
    review = hash_review(run)
    drawn = draw_audit_frames(record, number, review)
    author = Author(person.account, person.name)
    found = build_frame_audit(record, record_sha256, drawn, missed, author, review_sha256=review)
    made = encode_document(found)
    audit.append(
        data.audit,
        Event(
            actor=person.actor,
            kind="judgement",
            run=run.id,
            subjects={"record": record_sha256, "frames": sha256_hex(made)},
            details={"frames": tuple((index, index + 1) for index in drawn), "missed": len(missed)},
        ),
    )
    write_file(run.folder.frame_audit, made)
    return found


def read_frame_audit(data: DataFolder, run: Run, record_sha256: Sha256) -> FrameAudit | None:
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
    if sha256_hex(path.read_bytes()) not in find_logged_hashes(data, run, "frames"):
        raise SignOffError(f"{path} was tampered with: the audit log knows no such audit of frames.")
    found = read_document(path, FrameAudit, "audit of frames")
    return found if (found.record_sha256, found.review_sha256) == (record_sha256, hash_review(run)) else None


def hash_review(run: Run) -> Sha256 | None:
    """SHA-256 of the amendments, None when there are none."""
    return sha256_hex(run.folder.review.read_bytes()) if run.folder.review.exists() else None
