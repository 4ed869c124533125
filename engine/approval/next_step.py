"""Whose turn it is with a run that is done.

It goes by the newest signature, reads little and asks no log, so that a list of many runs can say it every second.
Whether a signature counts is for the sign-off to say; see `engine.approval.workflow`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from engine import access
from engine.access import Action, Person, Persons
from engine.approval.statements import Statement, read_statement
from engine.errors import SignOffError
from engine.record import digest
from engine.runs import Run

Step = Literal["review", "approval", "release"]
_ACTIONS: dict[Step, Action] = {"review": "amend", "approval": "sign-approved", "release": "release"}


@dataclass(frozen=True, slots=True)
class Turn:
    """What has to be done with a run next.

    Attributes:
        step: what; None when nothing has to: it was released, or masked live from what nobody kept.
        last: the newest signature, None before the first.
        why: what else there is to know, in a sentence.
        barred: accounts that the rule of four eyes keeps from this step.
    """

    step: Step | None
    last: Statement | None = None
    why: str | None = None
    barred: frozenset[str] = frozenset()

    def of(self, person: Person) -> bool:
        """Whether it is this person's turn."""
        return self.step is not None and person.account not in self.barred and access.may(person, _ACTIONS[self.step])


def turn(run: Run, persons: Persons) -> Turn:
    """Whose turn it is with a run that is done.

    Args:
        run: the run.
        persons: how many people the policy asks for.
    """
    try:
        statements = _statements(run)
    except SignOffError as error:
        return Turn("approval", why=str(error))
    ran = frozenset({run.request.account})
    last = statements[-1] if statements else None
    review = Turn("review", last, barred=ran if persons == "three" else frozenset())
    if last is None:
        return review if run.source.is_absolute() else Turn(None)
    if last.meaning == "rejected":
        return replace(review, why=f"{last.name} sent it back: {last.reason}")
    if last.meaning != "released" and last.subject.review != _amendments(run):
        return replace(review, why=f"It was amended after {last.name} had signed.")
    if last.meaning == "reviewed":
        reviewed = {one.account for one in statements if one.meaning == "reviewed"}
        return Turn("approval", last, barred=frozenset() if persons == "one" else ran | reviewed)
    return Turn("release" if last.meaning == "approved" else None, last)


def _statements(run: Run) -> list[Statement]:
    return [read_statement(path.read_bytes(), path.name) for path in sorted(run.folder.signatures.glob("*.json"))]


def _amendments(run: Run) -> str:
    """SHA-256 of the amendments as they are stored now."""
    return digest(run.folder.review.read_bytes() if run.folder.review.exists() else b"")
