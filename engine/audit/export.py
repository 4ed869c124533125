"""Export a part of the audit log as one document."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from engine.audit.entry import Entry
from engine.audit.log import read_entries
from engine.audit.verify import AuditReport, verify
from engine.record import Document, Timestamp

SCHEMA: Literal["veil/audit-export/1"] = "veil/audit-export/1"


class AuditExport(Document, frozen=True):
    """Entries of a period or of a run.

    Attributes:
        schema: Always "veil/audit-export/1".
        since: Start of the period, None for the beginning of the log.
        until: End of the period, exclusive, None for the end of the log.
        run: Identifier of the run, None for all runs.
        check: The verification of the whole log.
        entries: The entries in order.
    """

    schema: Literal["veil/audit-export/1"]
    since: Timestamp | None
    until: Timestamp | None
    run: str | None
    check: AuditReport
    entries: tuple[Entry, ...]


def export_entries(
    folder: Path, *, since: datetime | None = None, until: datetime | None = None, run: str | None = None
) -> AuditExport:
    """Export the entries of a period or of a run, with a verification of the whole log.

    Raises:
        AuditError: The log cannot be read, or a line is not an entry.
    """
    entries = tuple(read_entries(folder, run=run, since=since, until=until))
    return AuditExport(SCHEMA, since, until, run, verify(folder), entries)
