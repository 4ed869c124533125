"""The steps of the sign-off as a state machine on signed statements: review, approval, release. Does no I/O.

The rules, in the order in which they are applied:

1. A rejection that no later statement follows sends the run back to review.
2. A released statement that counts ends the sign-off: there is no next step.
3. An approval that counts leads to the release.
4. A review that counts leads to the approval.
5. Otherwise the run has to be reviewed.

A statement counts while nothing that it is bound to has changed, and until a later rejection. What voids a statement is
decided by `engine.approval.workflow`, which knows the stored bytes; this module only knows the result. So the list of
runs, which looks at the newest statement alone, and the page Sign off, which checks all of them, follow the same rules:

    >>> derive_next_step([])
    'review'
    >>> derive_next_step([StatementStatus(reviewed, ())])
    'approval'
    >>> derive_next_step([StatementStatus(reviewed, ("the amendments changed",))])
    'review'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.approval.statements import Meaning, Statement

StepName = Literal["review", "approval", "release"]

STEP_MEANINGS: tuple[Meaning, ...] = ("reviewed", "approved", "released")
"""The meaning of the statement that completes each step, in the order of the steps."""


@dataclass(frozen=True, slots=True)
class StatementStatus:
    """A statement, and why it no longer counts.

    Attributes:
        statement: The statement.
        void_reasons: One clause for each reason; empty while the statement counts.
    """

    statement: Statement
    void_reasons: tuple[str, ...]

    @property
    def counts(self) -> bool:
        """Whether the statement counts."""
        return not self.void_reasons


@dataclass(frozen=True, slots=True)
class StepStatus:
    """A step of the sign-off as it stands.

    Attributes:
        meaning: The meaning of the statement that completes the step.
        statement: The newest statement that completes it, None while the step is open.
        void_reasons: Why the newest statement of that meaning no longer counts; empty if one counts or none exists.
    """

    meaning: Meaning
    statement: Statement | None
    void_reasons: tuple[str, ...] = ()


def find_valid_statements(statuses: Sequence[StatementStatus], meaning: Meaning) -> tuple[Statement, ...]:
    """Return the statements of a meaning that count, oldest first."""
    return tuple(status.statement for status in statuses if status.statement.meaning == meaning and status.counts)


def find_rejection(statuses: Sequence[StatementStatus]) -> Statement | None:
    """Return the rejection that no later statement follows, None if there is none."""
    newest = statuses[-1].statement if statuses else None
    return newest if newest and newest.meaning == "rejected" else None


def derive_next_step(statuses: Sequence[StatementStatus]) -> StepName | None:
    """Apply the rules at the head of this module.

    Args:
        statuses: The statements of the run, oldest first.

    Returns:
        The step that has to be taken next, None if the run is released.
    """
    if find_rejection(statuses):
        return "review"
    if find_valid_statements(statuses, "released"):
        return None
    if find_valid_statements(statuses, "approved"):
        return "release"
    if find_valid_statements(statuses, "reviewed"):
        return "approval"
    return "review"


def list_steps(statuses: Sequence[StatementStatus]) -> tuple[StepStatus, ...]:
    """Return all steps in order, each with the statement that completes it."""
    return tuple(_build_step(statuses, meaning) for meaning in STEP_MEANINGS)


def _build_step(statuses: Sequence[StatementStatus], meaning: Meaning) -> StepStatus:
    if valid := find_valid_statements(statuses, meaning):
        return StepStatus(meaning, valid[-1])
    signed = [status for status in statuses if status.statement.meaning == meaning]
    return StepStatus(meaning, None, signed[-1].void_reasons if signed else ())
