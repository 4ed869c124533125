"""A run, the data folder it is in, and the person who works on it: one value for all that a person does to a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from engine import audit, runs
from engine.access.people import Person
from engine.access.permissions import Permission, authorise
from engine.audit import Actor, Entry, EventKind
from engine.audit.entry import DetailValue
from engine.record import Sha256
from engine.runs import Run
from engine.storage.data_folder import DataFolder

_NO_SUBJECTS: Mapping[str, Sha256] = {}
_NO_DETAILS: Mapping[str, DetailValue] = {}


@dataclass(frozen=True, slots=True)
class RunContext:
    """A run as one person works on it. The run is read once, when the context is opened.

    Attributes:
        data: The data folder.
        run: The run as it was when the context was opened.
        person: The person, with the roles they had when they signed in; see `authorise`.
    """

    data: DataFolder
    run: Run
    person: Person

    @classmethod
    def open(cls, data: DataFolder, run_id: str, person: Person) -> Self:
        """Read the run and return its context.

        Raises:
            RunError: There is no such run, or its folder is damaged.
        """
        return cls(data, runs.load_run(data, run_id), person)

    def authorise(self, permission: Permission) -> Self:
        """Return the context with the person's current roles, or refuse the action and log the refusal.

        Raises:
            AccessError: No role of the person allows the action, or the account is disabled.
            AuditError: The refusal cannot be logged.
        """
        return replace(self, person=authorise(self.data, self.person, permission))

    def log_event(
        self,
        kind: EventKind,
        subjects: Mapping[str, Sha256] = _NO_SUBJECTS,
        details: Mapping[str, DetailValue] = _NO_DETAILS,
        reason: str | None = None,
        *,
        actor: Actor | None = None,
    ) -> Entry:
        """Add an event of the run to the audit log.

        Args:
            kind: The kind of event.
            subjects: SHA-256 of what the event is about, by name.
            details: More about it, by name.
            reason: The reason in the person's words.
            actor: Who did it; the person of the context if omitted.

        Raises:
            AuditError: The event cannot be logged.
        """
        event = audit.Event(
            actor=actor or self.person.actor,
            kind=kind,
            run=self.run.id,
            subjects=subjects,
            details=details,
            reason=reason,
        )
        return audit.append(self.data.audit, event)
