"""Verify that no line of the audit log was edited, removed, moved or cut off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from engine.audit.entry import EMPTY_LOG_ANCHOR, Anchor, Entry, decode_entry, hash_matches
from engine.audit.log import read_lines
from engine.record import Document

SCHEMA: Literal["veil/audit-check/1"] = "veil/audit-check/1"
_NO_ANCHORS: Mapping[str, Anchor] = {}


class AuditFinding(Document, frozen=True):
    """A defect of the log.

    Attributes:
        line: Number of the line, from 1; the last line if the log was cut off.
        sentence: Description for a person.
        anchor: Name of the anchor that revealed it, None if the log itself did.
    """

    line: Annotated[int, msgspec.Meta(ge=0)]
    sentence: str
    anchor: str | None = None


class AuditReport(Document, frozen=True):
    """The result of a verification.

    Attributes:
        schema: Always "veil/audit-check/1".
        entries: Number of lines.
        head: The anchor of the newest entry.
        anchors: Number of anchors that the log was compared with.
        passed: Whether there are no findings.
        findings: The defects, in the order of their lines.
    """

    schema: Literal["veil/audit-check/1"]
    entries: int
    head: Anchor
    anchors: int
    passed: bool
    findings: tuple[AuditFinding, ...]


def verify(folder: Path, anchors: Mapping[str, Anchor] = _NO_ANCHORS) -> AuditReport:
    """Verify the whole log, and compare it with anchors that were kept elsewhere.

    The log alone does not reveal that its end was cut off, or that it was rewritten from some line on. An anchor
    reveals both, up to its entry.

    Args:
        folder: The folder of the audit.
        anchors: Anchors by the name of their origin, such as the path of a certificate.

    Raises:
        AuditError: The log cannot be read.
    """
    checker = _ChainChecker({anchor.number for anchor in anchors.values()})
    findings = [
        *(finding for line in read_lines(folder) for finding in checker.check_line(line)),
        *(finding for name, anchor in anchors.items() for finding in checker.check_anchor(name, anchor)),
    ]
    return AuditReport(
        schema=SCHEMA,
        entries=checker.line_count,
        head=checker.head,
        anchors=len(anchors),
        passed=not findings,
        findings=tuple(findings),
    )


class _ChainChecker:
    """Checks one line after another. After a finding it continues from what the line states about itself."""

    def __init__(self, anchored_numbers: set[int]) -> None:
        self.line_count = 0
        self.head = EMPTY_LOG_ANCHOR
        self._is_head_trusted = True
        self._anchored_numbers = anchored_numbers
        self._sha256_by_number = {0: EMPTY_LOG_ANCHOR.sha256}

    def check_line(self, line: bytes) -> Iterator[AuditFinding]:
        self.line_count += 1
        if not line.endswith(b"\n"):
            yield self._build_finding("is not complete: a crash or a cut ended it. The next event repairs a crash")
            self._skip_unreadable()
            return
        body = line[:-1]
        try:
            entry = decode_entry(body, unique_keys=True)
        except msgspec.MsgspecError as error:
            yield self._build_finding(f"was changed: it is not an entry any more ({error})")
            self._skip_unreadable()
            return
        untouched = hash_matches(body, entry)
        if not untouched:
            yield self._build_finding("was changed: its bytes do not have the hash it states")
        elif entry.number != self.head.number + 1:
            yield self._describe_misplaced(entry)
        elif self._is_head_trusted and entry.previous != self.head.sha256:
            yield self._build_finding("does not follow the line before it: one of the two was replaced")
        # After an edited line, the next one is not blamed for a hash that no longer matches: one edit, one finding.
        self.head, self._is_head_trusted = entry.anchor, untouched
        # Only the hashes that an anchor asks for are kept; a log may have millions of lines.
        if entry.number in self._anchored_numbers:
            self._sha256_by_number[entry.number] = entry.sha256

    def check_anchor(self, name: str, anchor: Anchor) -> Iterator[AuditFinding]:
        if anchor.number > self.line_count:
            cut = f"The audit log was cut off after line {self.line_count}: {name} knows entry {anchor.number}."
            yield AuditFinding(self.line_count, cut, name)
        elif self._sha256_by_number.get(anchor.number) != anchor.sha256:
            other = f"Line {anchor.number} of the audit log is not the one that {name} knows"
            yield AuditFinding(anchor.number, f"{other}: the log was written anew there or before.", name)

    def _describe_misplaced(self, entry: Entry) -> AuditFinding:
        expected = self.head.number + 1
        if entry.number < expected:
            return self._build_finding(f"holds entry {entry.number}, which was moved or repeated")
        missing = (
            f"entry {expected} is" if entry.number == expected + 1 else f"entries {expected} to {entry.number - 1} are"
        )
        return self._build_finding(f"holds entry {entry.number}: {missing} missing there")

    def _skip_unreadable(self) -> None:
        # Counted on as if the line were its entry, or every later line would be reported as missing or moved.
        self.head, self._is_head_trusted = Anchor(self.head.number + 1, self.head.sha256), False

    def _build_finding(self, description: str) -> AuditFinding:
        return AuditFinding(self.line_count, f"Line {self.line_count} of the audit log {description}.")
