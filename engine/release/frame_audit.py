"""The random sample check of a run: frames drawn at random, and the frames in which a person saw a missed face."""

from __future__ import annotations

from engine.access.run_context import RunContext
from engine.assurance.frame_audit import FrameAudit, build_frame_audit, draw_audit_frames
from engine.errors import SignOffError
from engine.record import Record, Sha256, encode_document, read_document, read_record, sha256_hex
from engine.release.leak_judgements import find_logged_hashes
from engine.review.amendments import Author
from engine.review.load import load_record
from engine.runs import Run
from engine.storage.data_folder import DataFolder
from engine.storage.files import write_file


def draw_run_audit_frames(run: Run, number: int, record: Record | None = None) -> tuple[int, ...]:
    """Draw the frames of a run that a person should look at, in order.

    The same record and amendments give the same frames, and an amendment gives others: a sample cannot be redrawn until
    it looks favourable.

    Args:
        run: The run.
        number: Number of frames; all frames if the run has fewer.
        record: The run's record; read from its folder if omitted.

    Raises:
        InputError: `number` is less than 1.
        RecordError: The record cannot be read.
    """
    return draw_audit_frames(record or read_record(run.folder.record), number, hash_review(run))


def save_frame_audit(context: RunContext, number: int, missed: tuple[int, ...]) -> FrameAudit:
    """Log and store the result of a random sample check.

    Args:
        context: The run, and the person who looked at the frames.
        number: Number of frames that were drawn.
        missed: Those of them in which a face is visible that should be masked.

    Raises:
        AccessError: The role does not allow it.
        InputError: A frame in `missed` was not drawn.
    """
    context = context.authorise("judge")
    run, person = context.run, context.person
    record, record_sha256 = load_record(run.folder.record)
    review_sha256 = hash_review(run)
    drawn = draw_audit_frames(record, number, review_sha256)
    author = Author(person.account, person.name)
    result = build_frame_audit(record, record_sha256, drawn, missed, author, review_sha256=review_sha256)
    stored = encode_document(result)
    # Logged first: a document that the log does not know is refused when it is read, so a crash loses the result
    # instead of leaving one that nobody vouches for.
    context.log_event(
        "judgement",
        {"record": record_sha256, "frames": sha256_hex(stored)},
        {"frames": tuple((index, index + 1) for index in drawn), "missed": len(missed)},
    )
    write_file(run.folder.frame_audit, stored)
    return result


def read_frame_audit(data: DataFolder, run: Run, record_sha256: Sha256) -> FrameAudit | None:
    """Read the result of the random sample check, if it is of the current record and amendments.

    Args:
        data: The data folder.
        run: The run.
        record_sha256: SHA-256 of the record's stored bytes.

    Returns:
        None if there was no check since the newest amendment.

    Raises:
        SignOffError: The document is not one that the audit log knows.
    """
    path = run.folder.frame_audit
    if not path.exists():
        return None
    # Only the newest counts: an earlier result, put back, would hide a face that was seen since.
    if [sha256_hex(path.read_bytes())] != find_logged_hashes(data, run, "frames")[-1:]:
        raise SignOffError(f"{path} was tampered with: it is not the newest audit of frames that the audit log knows.")
    result = read_document(path, FrameAudit, "audit of frames")
    is_current = (result.record_sha256, result.review_sha256) == (record_sha256, hash_review(run))
    return result if is_current else None


def hash_review(run: Run) -> Sha256 | None:
    """Return the SHA-256 of the stored amendments, None if there are none."""
    return sha256_hex(run.folder.review.read_bytes()) if run.folder.review.exists() else None
