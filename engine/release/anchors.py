"""Anchors of the audit log that are kept in the runs: in every statement, and beside every release.

Without an anchor a log whose last lines were cut off looks complete. Each anchor proves the log up to its entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from engine import audit
from engine.core.json_decoder import decode_json
from engine.errors import SignOffError
from engine.record import encode_document
from engine.storage.data_folder import ANCHOR_NAME, DataFolder
from engine.storage.files import write_file


class _LogHeadHolder(msgspec.Struct):
    """The part of a statement that contains the anchor; other fields are ignored."""

    head: audit.Anchor


def read_anchors(data: DataFolder) -> dict[str, audit.Anchor]:
    """Return every anchor in the runs, by the path of its file relative to the data folder.

    Raises:
        SignOffError: A file that holds an anchor cannot be read.
    """
    patterns = ("*/signatures/*.json", f"*/releases/*/{ANCHOR_NAME}")
    paths = [path for pattern in patterns for path in sorted(data.runs.glob(pattern))]
    return {str(path.relative_to(data.root)): _read_anchor(path) for path in paths}


def write_anchor(folder: Path, anchor: audit.Anchor) -> None:
    """Write the head of the audit log into the folder of a release.

    Raises:
        TargetError: It cannot be written.
    """
    write_file(folder / ANCHOR_NAME, encode_document(anchor))


def check_audit_log(data: DataFolder, extra_anchors: Mapping[str, audit.Anchor] | None = None) -> audit.AuditReport:
    """Check the audit log against every anchor in the runs, and against anchors that were kept elsewhere.

    Raises:
        AuditError: The log cannot be read.
        SignOffError: A file that holds an anchor cannot be read.
    """
    return audit.verify(data.audit, read_anchors(data) | dict(extra_anchors or {}))


def _read_anchor(path: Path) -> audit.Anchor:
    try:
        stored = path.read_bytes()
        if path.name == ANCHOR_NAME:
            return decode_json(stored, type=audit.Anchor)
        return decode_json(stored, type=_LogHeadHolder).head
    except (OSError, msgspec.MsgspecError) as error:
        raise SignOffError(
            f"{path} cannot be read as an anchor of the audit log ({error}). Restore the file from a backup."
        ) from error
