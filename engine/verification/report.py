"""The report of a verification."""

from __future__ import annotations

from typing import Literal

from engine.record import Document, Sha256

SCHEMA: Literal["veil/checks/1"] = "veil/checks/1"


class Check(Document, frozen=True):
    """The outcome of one check.

    Attributes:
        name: what was checked.
        passed: True if it holds.
        finding: what was found, in words for a person.
    """

    name: str
    passed: bool
    finding: str


class VerifyReport(Document, frozen=True):
    """The outcome of all checks on one output.

    Attributes:
        style_from: origin of the style that the output was checked against: the report of the render, or the default
            preset.
        review_sha256: SHA-256 of the review that says what is covered; None when none was given.
    """

    schema: Literal["veil/checks/1"]
    veil: str
    source_sha256: Sha256
    record_sha256: Sha256
    output_sha256: Sha256
    style_from: str
    passed: bool
    checks: tuple[Check, ...]
    review_sha256: Sha256 | None = None
