"""HTML pages of a certificate and of the audit log: one file each, without scripts and without external resources."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from engine.audit import AuditExport
from engine.certificate.document import Certificate
from engine.certificate.shell_commands import build_signature_command
from engine.record import Sha256
from engine.storage.data_folder import CERTIFICATE_KEY_NAME, CERTIFICATE_NAME, CERTIFICATE_SIGNATURE_NAME

_TEMPLATES = Path(__file__).parent / "templates"


def build_certificate_html(document: Certificate, sha256: Sha256, *, is_signed: bool) -> str:
    """Build the page of a certificate.

    Args:
        document: The certificate.
        sha256: SHA-256 of its bytes.
        is_signed: True if a signature with the key of the organisation is in the same folder.
    """
    signature = (
        build_signature_command(CERTIFICATE_NAME, CERTIFICATE_SIGNATURE_NAME, CERTIFICATE_KEY_NAME)
        if is_signed
        else None
    )
    return _fill_template(
        "certificate.html.j2", made=document, sha256=sha256, json_name=CERTIFICATE_NAME, signature=signature
    )


def build_log_html(exported: AuditExport) -> str:
    """Build the page of a part of the audit log."""
    return _fill_template("log.html.j2", exported=exported)


def _fill_template(template: str, **values: object) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)
