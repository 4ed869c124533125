"""Anchors of the audit log that lie outside of it: in every signature, and beside every release."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from engine import audit
from engine.errors import SignOffError
from engine.record import encode_document
from engine.storage.data_folder import ANCHOR_NAME, DataFolder
from engine.storage.files import write_file


class _LogHeadHolder(msgspec.Struct):
    head: audit.Anchor


def read_anchors(data: DataFolder) -> dict[str, audit.Anchor]:
    """Every anchor that lies in a run, by the path of the file, relative to the data folder.

    Raises:
        SignOffError: A file that holds an anchor cannot be read.
    """
    found = {}
    for pattern in ("*/signatures/*.json", f"*/releases/*/{ANCHOR_NAME}"):
        for path in sorted(data.runs.glob(pattern)):
            found[str(path.relative_to(data.root))] = _read_anchor(path)
    return found


def write_anchor(folder: Path, anchor: audit.Anchor) -> None:
    """Lay the head of the log beside a release.

    Raises:
        TargetError: it cannot be written.
    """
    write_file(folder / ANCHOR_NAME, encode_document(anchor))


def check_audit_log(data: DataFolder, extra_anchors: Mapping[str, audit.Anchor] | None = None) -> audit.AuditReport:
    """Check the audit log against every anchor that lies in a run, and more from elsewhere.

    Raises:
        AuditError: the log cannot be read.
        SignOffError: A file that holds an anchor cannot be read.
    """
    return audit.verify(data.audit, read_anchors(data) | dict(extra_anchors or {}))


def _read_anchor(path: Path) -> audit.Anchor:
    try:
        stored = path.read_bytes()
        if path.name == ANCHOR_NAME:
            return msgspec.json.decode(stored, type=audit.Anchor)
        return msgspec.json.decode(stored, type=_LogHeadHolder).head
    except (OSError, msgspec.MsgspecError) as error:
        raise SignOffError(
            f"{path} cannot be read as an anchor of the audit log ({error}). Restore the file from a backup."
        ) from error
