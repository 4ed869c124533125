"""Writing a certificate with its page and its signature, and checking them again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from engine import audit
from engine import record as records
from engine.certificate.document import (
    JSON_NAME,
    KEY_NAME,
    PAGE_NAME,
    SIGNATURE_NAME,
    Certificate,
    Evidence,
    certificate,
)
from engine.certificate.html import page
from engine.certificate.signing_key import sign, signed
from engine.errors import InputError, VeilError
from engine.record import Document, Sha256, digest
from engine.storage.files import file_digest, write
from engine.verification.verify import Check

SCHEMA: Literal["veil/certificate-check/1"] = "veil/certificate-check/1"


class CertificateReport(Document, frozen=True):
    """The outcome of a check of a certificate and of the release it stands for."""

    schema: Literal["veil/certificate-check/1"]
    certificate_sha256: Sha256
    passed: bool
    checks: tuple[Check, ...]


def issue(evidence: Evidence, folder: Path, *, key: Path | None = None, at: datetime | None = None) -> Sha256:
    """Write the certificate of a release, its page, and its signature when there is a key, into the release's folder.

    Args:
        evidence: what it is made of.
        folder: of the release.
        key: file of the organisation's private Ed25519 key.
        at: when, with zone; now when left out.

    Returns:
        SHA-256 of the certificate's bytes, for the audit log.

    Raises:
        SourceError: the released video cannot be read.
        RecordError: a part of the evidence is of another release.
        InputError: the key is none.
        TargetError: a file cannot be written.
    """
    made = certificate(evidence, at or datetime.now(UTC).astimezone())
    data = records.encode(made)
    if key is not None:
        signature, public = sign(data, key)
        write(folder / SIGNATURE_NAME, signature)
        write(folder / KEY_NAME, public)
    write(folder / PAGE_NAME, page(made, digest(data), is_signed=key is not None).encode())
    write(folder / JSON_NAME, data)
    return digest(data)


def read_certificate(path: Path) -> Certificate:
    """A certificate from its file, or from the folder of its release.

    Raises:
        RecordError: it cannot be read or is none.
    """
    return records.read_as(_file(path), Certificate, "certificate of a release")


def check_certificate(
    path: Path, *, source: Path | None = None, public: Path | None = None, log: Path | None = None
) -> CertificateReport:
    """Check a certificate and the release it stands for.

    Args:
        path: the certificate, or the folder of its release.
        source: the video that was anonymised, if it is at hand.
        public: the organisation's public key, as it was given by another way; without it, the key beside the
            certificate shows only that the signature is that key's.
        log: folder of the audit log, if it is at hand.

    Raises:
        RecordError: the certificate cannot be read or is none.
        InputError: the public key is none.
    """
    path = _file(path)
    made, data = read_certificate(path), records.read_bytes(path)
    checks = [*_on_files(made, data, path.parent)]
    if (path.parent / SIGNATURE_NAME).exists() or public is not None:
        checks.append(_signature(data, path.parent, public))
    if source is not None:
        checks.append(_same("source", source, made.source.sha256))
    if log is not None:
        checks += _log(made, data, log)
    return CertificateReport(SCHEMA, digest(data), all(check.passed for check in checks), tuple(checks))


def _file(path: Path) -> Path:
    return path / JSON_NAME if path.is_dir() else path


def _on_files(made: Certificate, data: bytes, folder: Path) -> Iterator[Check]:
    yield _same("video", folder / made.output.name, made.output.facts.sha256)
    for name, sha256 in made.documents.items():
        yield _same(name, folder / name, sha256)
    yield _page(made, data, folder)
    yield _statements(made)


def _same(name: str, path: Path, sha256: Sha256) -> Check:
    try:
        found = file_digest(path)
    except InputError:
        return Check(name, passed=False, finding=f"{path} is missing or cannot be read")
    if found != sha256:
        return Check(name, passed=False, finding=f"{path} is not the file that was certified: its bytes were changed")
    return Check(name, passed=True, finding="the bytes that were certified")


def _page(made: Certificate, data: bytes, folder: Path) -> Check:
    path, is_signed = folder / PAGE_NAME, (folder / SIGNATURE_NAME).exists()
    try:
        found = path.read_bytes()
    except OSError as error:
        return Check("page", passed=False, finding=f"{path} cannot be read: {error.strerror}")
    if found != page(made, digest(data), is_signed=is_signed).encode():
        return Check("page", passed=False, finding=f"{path} does not say what the certificate says")
    return Check("page", passed=True, finding="says what the certificate says")


def _statements(made: Certificate) -> Check:
    bound = (made.source.sha256, made.detection.record_sha256)
    for one in made.statements:
        if (one.run, one.subject.source, one.subject.record) != (made.run, *bound):
            finding = f"the signature {one.number:04} of {one.name} is of another run, source or record"
            return Check("signatures", passed=False, finding=finding)
    return Check("signatures", passed=True, finding=f"{len(made.statements)}, of this run, source and record")


def _signature(data: bytes, folder: Path, public: Path | None) -> Check:
    key = public or folder / KEY_NAME
    try:
        genuine = signed(data, (folder / SIGNATURE_NAME).read_bytes(), key.read_bytes())
    except OSError as error:
        return Check("key", passed=False, finding=f"{error.filename} cannot be read: {error.strerror}")
    if not genuine:
        return Check(
            "key", passed=False, finding=f"the certificate was changed, or was not signed with the key in {key}"
        )
    whose = "the key that was given" if public else "the key beside it, which anybody could have put there"
    return Check("key", passed=True, finding=f"signed with {whose}")


def _log(made: Certificate, data: bytes, log: Path) -> Iterator[Check]:
    try:
        report = audit.verify(log, {JSON_NAME: made.audit})
        known = {
            sha256
            for entry in audit.entries(log, run=made.run, kinds=["certificate"])
            if (sha256 := entry.subjects.get("certificate"))
        }
    except VeilError as error:
        yield Check("audit log", passed=False, finding=str(error))
        return
    if report.passed:
        yield Check("audit log", passed=True, finding=f"{report.entries} entries, none edited, moved or cut off")
    else:
        yield Check("audit log", passed=False, finding=report.findings[0].sentence)
    if digest(data) in known:
        yield Check("issue", passed=True, finding="the audit log knows this very certificate")
    else:
        yield Check(
            "issue",
            passed=False,
            finding="the certificate was changed: the audit log knows none with these bytes",
        )
