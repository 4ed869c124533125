"""Downloads of outputs and drafts, which are logged because the file leaves the control of Veil."""

from __future__ import annotations

from pathlib import Path

from engine.access.run_context import RunContext
from engine.storage.files import hash_file


def record_download(context: RunContext, path: Path) -> None:
    """Check the permission for a download and log it. Call it before the first byte is sent.

    Args:
        context: The run that the file belongs to, and the person who downloads it.
        path: The file.

    Raises:
        AccessError: The role does not allow it.
        AuditError: The download cannot be logged; the file must not be sent.
        InputError: The file cannot be read.
    """
    context.authorise("download").log_event("download", {"output": hash_file(path)}, {"file": path.name})
