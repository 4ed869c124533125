"""Time stamps of certificates and of the head of the audit log."""

from __future__ import annotations

from pathlib import Path

from engine import audit
from engine.audit import Actor, Anchor
from engine.certificate.time_stamp import TimeStamp, check_time_stamp, read_authority, request_time_stamp
from engine.errors import TimeStampError
from engine.record import encode_document, read_document_bytes, sha256_hex
from engine.storage.data_folder import (
    CERTIFICATE_NAME,
    CERTIFICATE_TIME_STAMP_NAME,
    TIME_STAMP_SUFFIX,
    DataFolder,
    append_suffix,
)
from engine.storage.files import write_file


def stamp_release(data: DataFolder, folder: Path, run_id: str, actor: Actor) -> TimeStamp | None:
    """Get a time stamp for the certificate in the folder of a release, write it beside it, and log it.

    Args:
        data: The data folder, whose administrator has named the authority.
        folder: The folder of the release.
        run_id: The run that was released.
        actor: Who asks for it.

    Returns:
        What the stamp says; None if no authority was named, so that nobody was asked.

    Raises:
        RecordError: There is no certificate.
        TimeStampError: The authority gave no stamp.
        TargetError: The stamp cannot be written.
        AuditError: It cannot be logged.
    """
    authority = read_authority(data)
    if authority is None:
        return None
    content = read_document_bytes(folder / CERTIFICATE_NAME)
    stamp = request_time_stamp(content, authority)
    stated = check_time_stamp(content, stamp, authority.certificates.encode())
    write_file(folder / CERTIFICATE_TIME_STAMP_NAME, stamp)
    subjects = {"certificate": sha256_hex(content), "time_stamp": sha256_hex(stamp)}
    details = {"time_stamp": stated.at.isoformat(), "authority": authority.url}
    audit.append(
        data.audit, audit.Event(actor=actor, kind="certificate", run=run_id, subjects=subjects, details=details)
    )
    return stated


def write_outside_anchor(data: DataFolder, path: Path) -> tuple[Anchor, TimeStamp | None]:
    """Write the head of the audit log to a file that is to be kept elsewhere, with a time stamp beside it.

    Every release up to now lies before the head, so one file proves them all.

    Args:
        data: The data folder.
        path: The file; the time stamp gets its name with `.tsr`.

    Returns:
        The anchor, and what its time stamp says; None if no authority was named.

    Raises:
        AuditError: The log cannot be read.
        TimeStampError: The authority gave no stamp; the anchor is written all the same.
        TargetError: A file cannot be written.
    """
    anchor = audit.read_head(data.audit)
    content = encode_document(anchor)
    write_file(path, content)
    authority = read_authority(data)
    if authority is None:
        return anchor, None
    stamp = request_time_stamp(content, authority)
    write_file(append_suffix(path, TIME_STAMP_SUFFIX), stamp)
    return anchor, check_time_stamp(content, stamp, authority.certificates.encode())


def check_anchor_stamp(path: Path, certificates: bytes | None) -> TimeStamp | None:
    """Check the time stamp beside an anchor.

    Args:
        path: The anchor.
        certificates: Certificates of the authority as PEM; None if there are none.

    Returns:
        What it says; None if there is no time stamp.

    Raises:
        TimeStampError: It is of another anchor or of another authority, or there are no certificates to check it with.
    """
    stamp_path = append_suffix(path, TIME_STAMP_SUFFIX)
    if not stamp_path.exists():
        return None
    if certificates is None:
        raise TimeStampError(
            f"{stamp_path} cannot be checked without the certificates of its authority; give them with "
            "--authority-certificates."
        )
    try:
        return check_time_stamp(read_document_bytes(path), stamp_path.read_bytes(), certificates)
    except OSError as error:
        raise TimeStampError(f"{stamp_path} cannot be read ({error.strerror}).") from error
