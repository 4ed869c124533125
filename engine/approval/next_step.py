"""Whose turn it is with a run that is done.

It goes by the newest signature, reads little and asks no log, so that a list of many runs can say it every second.
Whether a signature counts is for the sign-off to say; see `engine.approval.workflow`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from engine import access
from engine.access import Permission, Person, Persons
from engine.approval.statements import Statement, decode_statement
from engine.errors import SignOffError
from engine.record import sha256_hex
from engine.runs import Run

StepName = Literal["review", "approval", "release"]
_PERMISSIONS: dict[StepName, Permission] = {"review": "amend", "approval": "sign-approved", "release": "release"}


@dataclass(frozen=True, slots=True)
class NextStep:
    """What has to be done with a run next.

    Attributes:
        step: what; None when nothing has to: it was released, or masked live from what nobody kept.
        newest_statement: the newest signature, None before the first.
        why: what else there is to know, in a sentence.
        barred_accounts: accounts that the rule of four eyes keeps from this step.
    """

    step: StepName | None
    newest_statement: Statement | None = None
    why: str | None = None
    barred_accounts: frozenset[str] = frozenset()

    def is_open_to(self, person: Person) -> bool:
        """Whether it is this person's turn."""
        return (
            self.step is not None
            and person.account not in self.barred_accounts
            and access.is_allowed(person, _PERMISSIONS[self.step])
        )


def find_next_step(run: Run, persons: Persons) -> NextStep:
    """Whose turn it is with a run that is done.

    Args:
        run: the run.
        persons: how many people the policy asks for.
    """
    try:
        statements = _read_statements(run)
    except SignOffError as error:
        return NextStep("approval", why=str(error))
    ran = frozenset({run.request.account})
    last = statements[-1] if statements else None
    review = NextStep("review", last, barred_accounts=ran if persons == "three" else frozenset())
    if last is None:
        return review if run.source.is_absolute() else NextStep(None)
    if last.meaning == "rejected":
        return replace(review, why=f"{last.name} sent it back: {last.reason}")
    if last.meaning != "released" and last.subject.review != _hash_amendments(run):
        return replace(review, why=f"It was amended after {last.name} had signed.")
    if last.meaning == "reviewed":
        reviewed = {one.account for one in statements if one.meaning == "reviewed"}
        return NextStep("approval", last, barred_accounts=frozenset() if persons == "one" else ran | reviewed)
    return NextStep("release" if last.meaning == "approved" else None, last)


def _read_statements(run: Run) -> list[Statement]:
    return [decode_statement(path.read_bytes(), path.name) for path in sorted(run.folder.signatures.glob("*.json"))]


def _hash_amendments(run: Run) -> str:
    """SHA-256 of the amendments as they are stored now."""
    return sha256_hex(run.folder.review.read_bytes() if run.folder.review.exists() else b"")
