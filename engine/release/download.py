"""Downloads of outputs and drafts, which are logged because the file leaves the control of Veil."""

from __future__ import annotations

from pathlib import Path

from engine import audit
from engine.access.run_context import RunContext
from engine.core.file_types import STILL_SUFFIXES
from engine.errors import SignOffError
from engine.media.containers import VIDEO_SUFFIXES
from engine.record import Sha256
from engine.storage.data_folder import CERTIFICATE_NAME
from engine.storage.files import hash_file

_OUTPUT_SUFFIXES = VIDEO_SUFFIXES | STILL_SUFFIXES


def record_download(context: RunContext, path: Path) -> None:
    """Check the permission for a download and log it. Call it before the first byte is sent.

    Args:
        context: The run that the file belongs to, and the person who downloads it.
        path: The file.

    Raises:
        AccessError: The role does not allow it.
        AuditError: The download cannot be logged; the file must not be sent.
        InputError: The file cannot be read.
        SignOffError: The video or the certificate of a release, or a draft, is not the one that the log knows.
    """
    context = context.authorise("download")
    sha256, run = hash_file(path), context.run
    is_of_release, is_draft = path.parent.parent == run.folder.releases, path.parent == run.folder.drafts
    # The other documents of a release are covered by its certificate.
    if path.name == CERTIFICATE_NAME or (path.suffix in _OUTPUT_SUFFIXES and (is_of_release or is_draft)):
        _require_logged(context, path, sha256)
    context.log_event("download", {"output": sha256}, {"file": path.name})


def _require_logged(context: RunContext, path: Path, sha256: Sha256) -> None:
    """Refuse a file that would leave with somebody although it is not what was checked."""
    subject = "certificate" if path.name == CERTIFICATE_NAME else "output"
    entries = audit.read_entries(context.data.audit, run=context.run.id, kinds=["render", "release", "certificate"])
    if sha256 not in {entry.subjects.get(subject) for entry in entries}:
        raise SignOffError(
            f"{path} was tampered with: the audit log knows no such file of this run. Nothing was sent; restore the "
            "file from a backup."
        )
