"""The audit log: an append-only chain of entries, one per line, each bound to the one before by its hash."""

from engine.audit.entry import FIRST_PREVIOUS_SHA256, SYSTEM_ACTOR, Actor, Anchor, AuthMethod, Entry, Event, EventKind
from engine.audit.export import AuditExport, export_entries
from engine.audit.log import append, read_entries, read_head
from engine.audit.verify import AuditFinding, AuditReport, verify

__all__ = [
    "FIRST_PREVIOUS_SHA256",
    "SYSTEM_ACTOR",
    "Actor",
    "Anchor",
    "AuditExport",
    "AuditFinding",
    "AuditReport",
    "AuthMethod",
    "Entry",
    "Event",
    "EventKind",
    "append",
    "export_entries",
    "read_entries",
    "read_head",
    "verify",
]
