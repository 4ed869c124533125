"""The audit log: an append-only chain of entries, one a line, each bound to the one before by its hash."""

from engine.audit.entry import BEGINNING, SYSTEM, Actor, Anchor, Entry, Event, How, Kind
from engine.audit.export import AuditExport, export
from engine.audit.log import append, entries, head
from engine.audit.verify import AuditReport, Finding, verify

__all__ = [
    "BEGINNING",
    "SYSTEM",
    "Actor",
    "Anchor",
    "AuditExport",
    "AuditReport",
    "Entry",
    "Event",
    "Finding",
    "How",
    "Kind",
    "append",
    "entries",
    "export",
    "head",
    "verify",
]
