"""Time stamps (RFC 3161): an authority outside signs that bytes existed at a time.

The clock of this machine and the people who run it can date a certificate as they like; a time stamp shows that it was
not made later. The authority gets a hash and nothing else. No request is made unless an administrator has named an
authority. A stamp is checked without a network. This is the only module that knows the library.
"""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from engine import access, audit
from engine.access import Person
from engine.core.json_decoder import decode_json
from engine.errors import InputError, TimeStampError
from engine.record import Document, encode_document, sha256_hex
from engine.storage.data_folder import DataFolder
from engine.storage.files import make_private_folder, write_file

SCHEMA: Literal["veil/time-stamp-authority/1"] = "veil/time-stamp-authority/1"
_TIMEOUT_S = 20.0
_MAX_RESPONSE_BYTES = 1 << 16
"""A stamp takes a few kilobytes, most of them certificates."""


_HASH_NAMES = ("sha256", "sha384", "sha512")


class TimeStampAuthority(Document, frozen=True):
    """The authority that an administrator has named.

    Attributes:
        schema: Always "veil/time-stamp-authority/1".
        url: Address of its service (http or https).
        certificates: Its root certificate and others of its chain, as PEM. They were received in another way than the
            stamps, otherwise they prove nothing.
    """

    schema: Literal["veil/time-stamp-authority/1"]
    url: str
    certificates: str


class TimeStamp(Document, frozen=True):
    """What a checked stamp says.

    Attributes:
        at: The time that the authority states.
        authority: Subject of the certificate that signed it.
    """

    at: datetime
    authority: str


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the request goes to the address that was named and to no other."""

    def redirect_request(self, *_arguments: object, **_named: object) -> None:
        """Refuse every redirect, so that it is an error of the request."""


def read_authority(data: DataFolder) -> TimeStampAuthority | None:
    """Return the authority of an installation, None if none was named.

    Raises:
        TimeStampError: The file cannot be read.
    """
    path = data.time_stamp_authority
    try:
        return decode_json(path.read_bytes(), type=TimeStampAuthority)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise TimeStampError(
            f"{path} cannot be read ({error}). Name the authority again, or remove the file."
        ) from error


def set_authority(data: DataFolder, by: Person, url: str, certificates: bytes) -> TimeStampAuthority:
    """Name the authority whose stamps certificates and anchors get from now on, and log it.

    Args:
        data: The data folder.
        by: An administrator.
        url: Address of the service.
        certificates: Root certificate and others of the chain, as PEM.

    Raises:
        AccessError: The role does not allow it.
        InputError: The address is no http or https address, or there is no root certificate.
        AuditError: It cannot be logged.
    """
    access.authorise(data, by, "settings")
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise InputError(f"{url!r} is no address of a time stamp authority; it begins with https:// or http://.")
    _load_certificates(certificates)
    authority = TimeStampAuthority(SCHEMA, url, certificates.decode("ascii", "replace"))
    stored = encode_document(authority)
    make_private_folder(data.access)
    _log_setting(data, by, url, {"time_stamp_authority": sha256_hex(stored)})
    write_file(data.time_stamp_authority, stored)
    return authority


def remove_authority(data: DataFolder, by: Person) -> None:
    """Ask no authority from now on, and log it. Stamps that exist stay.

    Raises:
        AccessError: The role does not allow it.
        AuditError: It cannot be logged.
    """
    access.authorise(data, by, "settings")
    _log_setting(data, by, "none", {})
    data.time_stamp_authority.unlink(missing_ok=True)


def request_time_stamp(content: bytes, authority: TimeStampAuthority, *, timeout_s: float = _TIMEOUT_S) -> bytes:
    """Ask an authority for a stamp of bytes, and check it.

    Args:
        content: The bytes; their SHA-512 is sent.
        authority: The authority.
        timeout_s: Seconds after which the request is given up.

    Returns:
        The answer as it came (DER), which `openssl ts -verify` reads too.

    Raises:
        TimeStampError: The authority cannot be reached or refuses, or its stamp does not fit.
    """
    request = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA512).build()
    answer = _post(authority.url, request.as_bytes(), timeout_s)
    response = _decode(answer, authority.url)
    _verify(response, content, authority.certificates.encode(), nonce=request.nonce)
    return answer


def check_time_stamp(content: bytes, stamp: bytes, certificates: bytes) -> TimeStamp:
    """Check a stamp of bytes without a network.

    Args:
        content: The bytes that were stamped.
        stamp: The answer of the authority (DER).
        certificates: Root certificate and others of the chain, as PEM, received in another way than the stamp.

    Raises:
        TimeStampError: The stamp is of other bytes, or was not signed by that authority.
        InputError: The certificates cannot be read.
    """
    response = _decode(stamp, "The file")
    _verify(response, content, certificates)
    return _describe(response)


def read_stated_time(content: bytes, stamp: bytes) -> datetime:
    """Return the time in a stamp of bytes, without a check of who has signed it.

    Raises:
        TimeStampError: The stamp is of other bytes.
    """
    response = _decode(stamp, "The file")
    stated = response.tst_info
    if stated.message_imprint.message not in {hashlib.new(name, content).digest() for name in _HASH_NAMES}:
        raise TimeStampError("The time stamp is of other bytes.")
    return stated.gen_time


def _log_setting(data: DataFolder, by: Person, url: str, subjects: dict[str, str]) -> None:
    event = audit.Event(actor=by.actor, kind="settings", subjects=subjects, details={"time_stamp_authority": url})
    audit.append(data.audit, event)


def _post(url: str, body: bytes, timeout_s: float) -> bytes:
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    # The scheme was checked when the authority was named; the opener knows no other than http and https.
    asked = urllib.request.Request(url, body, headers)  # noqa: S310
    opener = urllib.request.build_opener(_NoRedirects())
    try:
        with opener.open(asked, timeout=timeout_s) as answer:
            content: bytes = answer.read(_MAX_RESPONSE_BYTES + 1)
            status = answer.status
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise TimeStampError(f"The time stamp authority {url} gave no time stamp ({reason}).") from error
    if status != HTTPStatus.OK or len(content) > _MAX_RESPONSE_BYTES:
        raise TimeStampError(f"The time stamp authority {url} gave no time stamp (status {status}).")
    return content


def _decode(stamp: bytes, origin: str) -> TimeStampResponse:
    try:
        return decode_timestamp_response(stamp)
    except ValueError as error:
        raise TimeStampError(f"{origin} is no time stamp (RFC 3161): {error}.") from error


def _verify(response: TimeStampResponse, content: bytes, certificates: bytes, nonce: int | None = None) -> None:
    roots, intermediates = _load_certificates(certificates)
    try:
        VerifierBuilder(roots=roots, intermediates=intermediates, nonce=nonce).build().verify_message(response, content)
    except (VerificationError, ValueError) as error:
        raise TimeStampError(f"The time stamp is not one of this file by this authority: {error}.") from error


def _describe(response: TimeStampResponse) -> TimeStamp:
    (signer,) = response.signed_data.signer_infos
    loaded = (x509.load_der_x509_certificate(one) for one in response.signed_data.certificates)
    subject = next((one.subject.rfc4514_string() for one in loaded if one.serial_number == signer.serial_number), "")
    return TimeStamp(response.tst_info.gen_time, subject)


def _load_certificates(pem: bytes) -> tuple[list[x509.Certificate], list[x509.Certificate]]:
    """Load certificates; return the roots, which have signed themselves, and the others.

    Raises:
        InputError: There is no root.
    """
    try:
        loaded = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise InputError(f"The certificates of the time stamp authority cannot be read as PEM ({error}).") from error
    roots = [one for one in loaded if one.issuer == one.subject]
    if not roots:
        raise InputError("There is no root certificate among those of the time stamp authority; add it.")
    return roots, [one for one in loaded if one not in roots]


def read_certificates(path: Path) -> bytes:
    """Read the certificates of an authority from a file.

    Raises:
        InputError: It cannot be read, or has no root certificate.
    """
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give the authority's certificates.") from error
    _load_certificates(pem)
    return pem
