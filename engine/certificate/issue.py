"""Write a certificate with its page and its signature, and check a certificate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from engine import audit
from engine.certificate.command_check import check_commands, find_foreign_name
from engine.certificate.document import (
    Certificate,
    CertificateInputs,
    build_certificate,
)
from engine.certificate.html import build_certificate_html
from engine.certificate.signing_key import is_signature_valid, sign_bytes
from engine.certificate.time_stamp import check_time_stamp, read_stated_time
from engine.errors import InputError, TimeStampError, VeilError
from engine.record import Document, Sha256, encode_document, read_document, read_document_bytes, sha256_hex
from engine.storage.data_folder import (
    CERTIFICATE_KEY_NAME,
    CERTIFICATE_NAME,
    CERTIFICATE_PAGE_NAME,
    CERTIFICATE_SIGNATURE_NAME,
    CERTIFICATE_TIME_STAMP_NAME,
)
from engine.storage.files import hash_file, write_file
from engine.verification.report import Check

SCHEMA: Literal["veil/certificate-check/1"] = "veil/certificate-check/1"


class CertificateCheckReport(Document, frozen=True):
    """The result of checking a certificate and its release."""

    schema: Literal["veil/certificate-check/1"]
    certificate_sha256: Sha256
    passed: bool
    checks: tuple[Check, ...]


def issue_certificate(
    inputs: CertificateInputs, folder: Path, *, key_path: Path | None = None, issued_at: datetime | None = None
) -> Sha256:
    """Write the certificate of a release, its page, and its signature if there is a key, into its folder.

    Args:
        inputs: What the certificate is made of.
        folder: Folder of the release.
        key_path: File with the private Ed25519 key of the organisation, None to leave the certificate unsigned.
        issued_at: Time of issue with time zone; now if left out.

    Returns:
        SHA-256 of the bytes of the certificate, for the audit log.

    Raises:
        SourceError: The released video cannot be read.
        RecordError: A part of the inputs is of another release.
        InputError: The key is invalid.
        TargetError: A file cannot be written.
    """
    made = build_certificate(inputs, issued_at or datetime.now(UTC).astimezone())
    data = encode_document(made)
    # The certificate is written last: where it exists, its page and its signature do too.
    _write_page_and_signature(made, data, folder, key_path)
    write_file(folder / CERTIFICATE_NAME, data)
    return sha256_hex(data)


def write_page_and_signature_again(folder: Path, *, key_path: Path | None) -> None:
    """Write page, signature and public key again, from a certificate that the audit log knows.

    Raises:
        RecordError: The certificate cannot be read or is not a certificate.
        InputError: The key is invalid.
        TargetError: A file cannot be written.
    """
    for name in (CERTIFICATE_SIGNATURE_NAME, CERTIFICATE_KEY_NAME):
        (folder / name).unlink(missing_ok=True)
    path = folder / CERTIFICATE_NAME
    _write_page_and_signature(read_certificate(path), read_document_bytes(path), folder, key_path)


def _write_page_and_signature(made: Certificate, data: bytes, folder: Path, key_path: Path | None) -> None:
    if key_path is not None:
        signature, public = sign_bytes(data, key_path)
        write_file(folder / CERTIFICATE_SIGNATURE_NAME, signature)
        write_file(folder / CERTIFICATE_KEY_NAME, public)
    page = build_certificate_html(made, sha256_hex(data), is_signed=key_path is not None)
    write_file(folder / CERTIFICATE_PAGE_NAME, page.encode())


def read_certificate(path: Path) -> Certificate:
    """Read a certificate from its file or from the folder of its release.

    Raises:
        RecordError: The file cannot be read or is not a certificate.
    """
    return read_document(_resolve_certificate_path(path), Certificate, "certificate of a release")


@dataclass(frozen=True, slots=True)
class AuthorityCertificates:
    """Certificates of the time stamp authority, received in another way than the release.

    Attributes:
        pem: The certificates as PEM.
        is_expected: Whether the release must have a time stamp, because a person named them for this check.
    """

    pem: bytes
    is_expected: bool = True


def check_certificate(
    path: Path,
    *,
    source_path: Path | None = None,
    public_key_path: Path | None = None,
    authority: AuthorityCertificates | None = None,
    log_folder: Path | None = None,
) -> CertificateCheckReport:
    """Check a certificate and its release.

    Args:
        path: The certificate, or the folder of its release.
        source_path: The source video, if it is available.
        public_key_path: The public key of the organisation, received in another way. Without it, the key in the folder
            of the release shows only that the signature was made with that key.
        authority: Certificates of the time stamp authority. Without them, a time stamp is only compared with the bytes.
        log_folder: Folder of the audit log, if it is available.

    Raises:
        RecordError: The certificate cannot be read or is not a certificate.
        InputError: The public key is invalid.
    """
    path = _resolve_certificate_path(path)
    made, data = read_certificate(path), read_document_bytes(path)
    checks = [*_check_release_files(made, data, path.parent)]
    # A person who gives a key expects a signature. If its absence were no finding, removing it would hide a forgery.
    if (path.parent / CERTIFICATE_SIGNATURE_NAME).exists() or public_key_path is not None:
        checks.append(_check_signature(data, path.parent, public_key_path))
    if (path.parent / CERTIFICATE_TIME_STAMP_NAME).exists() or (authority is not None and authority.is_expected):
        checks.append(_check_time_stamp(data, path.parent, authority))
    if source_path is not None:
        checks.append(_check_file_hash("source", source_path, made.source.sha256))
    if log_folder is not None:
        checks += _check_audit_log(made, data, log_folder)
    return CertificateCheckReport(SCHEMA, sha256_hex(data), all(check.passed for check in checks), tuple(checks))


def _resolve_certificate_path(path: Path) -> Path:
    return path / CERTIFICATE_NAME if path.is_dir() else path


def _check_release_files(document: Certificate, data: bytes, folder: Path) -> Iterator[Check]:
    if foreign := find_foreign_name(document):
        finding = f"the certificate names a file outside of its folder ({foreign!r})"
        yield Check("names", passed=False, finding=finding)
        return
    yield _check_file_hash("video", folder / document.output.name, document.output.facts.sha256)
    for name, sha256 in document.documents.items():
        yield _check_file_hash(name, folder / name, sha256)
    yield check_commands(document, folder)
    yield _check_page(document, data, folder)
    yield _check_statements(document)


def _check_file_hash(name: str, path: Path, sha256: Sha256) -> Check:
    try:
        found = hash_file(path)
    except InputError:
        return Check(name, passed=False, finding=f"{path} is missing or cannot be read")
    if found != sha256:
        return Check(name, passed=False, finding=f"{path} is not the file that was certified: its bytes were changed")
    return Check(name, passed=True, finding="the bytes that were certified")


def _check_page(document: Certificate, data: bytes, folder: Path) -> Check:
    path, is_signed = folder / CERTIFICATE_PAGE_NAME, (folder / CERTIFICATE_SIGNATURE_NAME).exists()
    try:
        found = path.read_bytes()
    except OSError as error:
        return Check("page", passed=False, finding=f"{path} cannot be read: {error.strerror}")
    # The page is built again from the certificate, so nothing on it can say more or less than the certificate does.
    if found != build_certificate_html(document, sha256_hex(data), is_signed=is_signed).encode():
        return Check("page", passed=False, finding=f"{path} does not say what the certificate says")
    return Check("page", passed=True, finding="says what the certificate says")


def _check_statements(document: Certificate) -> Check:
    # The hashes of the files alone do not show that the people signed these files: their statements name them too.
    bound = (document.source.sha256, document.detection.record_sha256)
    for statement in document.statements:
        if (statement.run, statement.subject.source, statement.subject.record) != (document.run, *bound):
            finding = f"the signature {statement.number:04} of {statement.name} is of another run, source or record"
            return Check("signatures", passed=False, finding=finding)
    return Check("signatures", passed=True, finding=f"{len(document.statements)}, of this run, source and record")


def _check_signature(data: bytes, folder: Path, public_key_path: Path | None) -> Check:
    key = public_key_path or folder / CERTIFICATE_KEY_NAME
    try:
        genuine = is_signature_valid(data, (folder / CERTIFICATE_SIGNATURE_NAME).read_bytes(), key.read_bytes())
    except OSError as error:
        return Check("key", passed=False, finding=f"{error.filename} cannot be read: {error.strerror}")
    if not genuine:
        return Check(
            "key", passed=False, finding=f"the certificate was changed, or was not signed with the key in {key}"
        )
    origin = "the key that was given" if public_key_path else "the key in its folder, which anyone could have put there"
    return Check("key", passed=True, finding=f"signed with {origin}")


def _check_time_stamp(data: bytes, folder: Path, authority: AuthorityCertificates | None) -> Check:
    path = folder / CERTIFICATE_TIME_STAMP_NAME
    try:
        stamp = path.read_bytes()
        if authority is None:
            stated_at = read_stated_time(data, stamp)
            finding = f"says {stated_at.isoformat()}; give the authority's certificates to check who has signed it"
            return Check("time stamp", passed=True, finding=finding)
        stamped = check_time_stamp(data, stamp, authority.pem)
    except OSError as error:
        return Check("time stamp", passed=False, finding=f"{path} cannot be read: {error.strerror}")
    except TimeStampError as error:
        return Check("time stamp", passed=False, finding=f"{path}: {error}")
    finding = f"existed at {stamped.at.isoformat()}, signed by {stamped.authority}"
    return Check("time stamp", passed=True, finding=finding)


def _check_audit_log(document: Certificate, data: bytes, log_folder: Path) -> Iterator[Check]:
    try:
        report = audit.verify(log_folder, {CERTIFICATE_NAME: document.audit})
        known = {
            sha256
            for entry in audit.read_entries(log_folder, run=document.run, kinds=["certificate"])
            if (sha256 := entry.subjects.get("certificate"))
        }
    except VeilError as error:
        yield Check("audit log", passed=False, finding=str(error))
        return
    if report.passed:
        yield Check("audit log", passed=True, finding=f"{report.entries} entries, none edited, moved or cut off")
    else:
        yield Check("audit log", passed=False, finding=report.findings[0].sentence)
    if sha256_hex(data) in known:
        yield Check("issue", passed=True, finding="the audit log has an entry for these bytes")
    else:
        yield Check(
            "issue",
            passed=False,
            finding="the audit log has no certificate with these bytes: it was changed, or issued elsewhere",
        )
