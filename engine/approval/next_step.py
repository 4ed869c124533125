"""The next step of a finished run, and who may take it, for lists that show many runs and refresh every second.

Only the newest statement and the stored amendments are read: no record, no source and no audit log. So a statement
that was tampered with can still count here. `engine.approval.workflow` checks everything before anything is signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine import access
from engine.access import Permission, Person, Persons
from engine.approval.statements import Statement, decode_statement
from engine.approval.steps import StatementStatus, StepName, derive_next_step
from engine.errors import SignOffError
from engine.record import sha256_hex
from engine.runs import Run

_PERMISSIONS: dict[StepName, Permission] = {"review": "amend", "approval": "sign-approved", "release": "release"}
_AMENDED: Literal["the amendments changed"] = "the amendments changed"


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next step of a finished run.

    Attributes:
        step: The step; None if there is none, because the run is released, or was live and its source was not kept.
        newest_statement: The newest statement, None before the first.
        why: A sentence on why the run is at this step again, None if it got there the usual way.
        barred_accounts: Accounts that the four-eyes rule keeps from this step.
        exceptions: Statements about the current amendments that were signed below the policy, oldest first.
    """

    step: StepName | None
    newest_statement: Statement | None = None
    why: str | None = None
    barred_accounts: frozenset[str] = frozenset()
    exceptions: tuple[Statement, ...] = ()

    def is_open_to(self, person: Person) -> bool:
        """Whether the person may take the step: roles allow it, and the four-eyes rule does not bar it."""
        return (
            self.step is not None
            and person.account not in self.barred_accounts
            and access.is_allowed(person, _PERMISSIONS[self.step])
        )


def find_next_step(run: Run, persons: Persons) -> NextStep:
    """Find the next step of a finished run.

    Args:
        run: The run.
        persons: The number of people that the policy requires.
    """
    try:
        statements = _read_statements(run)
    except SignOffError as error:
        return NextStep("approval", why=str(error))
    newest = statements[-1] if statements else None
    if newest is None and not run.source.is_absolute():
        return NextStep(None)  # a live run of a camera: there is no source to render again, so nothing can be released
    # A release stays a release when the run is amended afterwards; only a new review starts the sign-off again.
    is_void = newest is not None and newest.meaning != "released" and newest.subject.review != _hash_amendments(run)
    step = derive_next_step([StatementStatus(newest, (_AMENDED,) if is_void else ())] if newest else [])
    barred = _find_barred_accounts(step, run, statements, persons)
    return NextStep(step, newest, _explain_return(newest, is_void=is_void), barred, _find_exceptions(statements))


def _find_exceptions(statements: list[Statement]) -> tuple[Statement, ...]:
    """Find the statements below the policy that the newest one builds on: of the same review, after the last return."""
    found: list[Statement] = []
    for statement in statements:
        if statement.meaning == "rejected" or (found and statement.subject.review != found[-1].subject.review):
            found = []
        if statement.below_policy:
            found.append(statement)
    return tuple(one for one in found if one.subject.review == statements[-1].subject.review)


def _explain_return(newest: Statement | None, *, is_void: bool) -> str | None:
    if newest and newest.meaning == "rejected":
        return f"{newest.name} sent it back: {newest.reason}"
    if newest and is_void:
        return f"It was amended after {newest.name} had signed."
    return None


def _find_barred_accounts(
    step: StepName | None, run: Run, statements: list[Statement], persons: Persons
) -> frozenset[str]:
    starter = frozenset({run.request.account})
    if step == "review" and persons == "three":
        return starter
    if step == "approval" and persons != "one":
        return starter | {statement.account for statement in statements if statement.meaning == "reviewed"}
    return frozenset()


def _read_statements(run: Run) -> list[Statement]:
    return [decode_statement(path.read_bytes(), path.name) for path in sorted(run.folder.signatures.glob("*.json"))]


def _hash_amendments(run: Run) -> str:
    """Return the SHA-256 of the amendments as they are stored now."""
    return sha256_hex(run.folder.review.read_bytes() if run.folder.review.exists() else b"")
