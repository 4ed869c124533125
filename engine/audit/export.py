"""A part of the audit log as one document, to hand to somebody."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from engine.audit.entry import Entry, Timestamp
from engine.audit.log import read_entries
from engine.audit.verify import AuditReport, verify
from engine.record import Document

SCHEMA: Literal["veil/audit-export/1"] = "veil/audit-export/1"


class AuditExport(Document, frozen=True):
    """Entries of a period or a run.

    Attributes:
        since: start of the period, None for the beginning.
        until: end of the period, exclusive, None for the end.
        run: the run they are of, None for all.
        check: whether the whole log holds.
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
    """The entries of a period, with the outcome of a check of the whole log.

    Raises:
        AuditError: the log cannot be read, or a line is not an entry.
    """
    found = tuple(read_entries(folder, run=run, since=since, until=until))
    return AuditExport(SCHEMA, since, until, run, verify(folder), found)
