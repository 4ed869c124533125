"""Whether the audit log is what was written: no line edited, taken away, moved or cut off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from engine.audit.entry import NOTHING, Anchor, Entry, intact, opened
from engine.audit.log import whole_lines
from engine.record import Document

SCHEMA: Literal["veil/audit-check/1"] = "veil/audit-check/1"
_NO_ANCHORS: Mapping[str, Anchor] = {}


class Finding(Document, frozen=True):
    """Something wrong.

    Attributes:
        line: its number, from 1; the last one where the log was cut off.
        sentence: for a person.
        anchor: name of the anchor that showed it, None when the log itself does.
    """

    line: Annotated[int, msgspec.Meta(ge=0)]
    sentence: str
    anchor: str | None = None


class AuditReport(Document, frozen=True):
    """The outcome of a check of the log.

    Attributes:
        entries: how many lines there are.
        head: the anchor of the newest entry.
        anchors: how many anchors it was held against.
    """

    schema: Literal["veil/audit-check/1"]
    entries: int
    head: Anchor
    anchors: int
    passed: bool
    findings: tuple[Finding, ...]


def verify(folder: Path, anchors: Mapping[str, Anchor] = _NO_ANCHORS) -> AuditReport:
    """Check the whole log, and hold it against anchors that were kept elsewhere.

    Without an anchor nobody can tell a log that was cut off after a line, or written anew from some line on, from one
    that ends there. An anchor shows both up to its entry.

    Args:
        folder: of the audit.
        anchors: by the name of what they come from, as the path of a certificate.

    Raises:
        AuditError: the log cannot be read.
    """
    walk = _Walk({anchor.number for anchor in anchors.values()})
    findings = [
        *(finding for line in whole_lines(folder) for finding in walk.step(line)),
        *(finding for name, anchor in anchors.items() for finding in walk.held_against(name, anchor)),
    ]
    return AuditReport(
        schema=SCHEMA,
        entries=walk.lines,
        head=walk.head,
        anchors=len(anchors),
        passed=not findings,
        findings=tuple(findings),
    )


class _Walk:
    """A walk along the lines; after a finding it goes on from what the line says of itself."""

    def __init__(self, wanted: set[int]) -> None:
        self.lines = 0
        self.head = NOTHING
        self._trusted = True
        self._wanted = wanted
        self._seen = {0: NOTHING.sha256}

    def step(self, line: bytes) -> Iterator[Finding]:
        self.lines += 1
        if not line.endswith(b"\n"):
            yield self._finding("is not complete: a crash or a cut ended it. The next event repairs a crash")
            self._lost()
            return
        body = line[:-1]
        try:
            entry = opened(body)
        except msgspec.MsgspecError as error:
            yield self._finding(f"was changed: it is not an entry any more ({error})")
            self._lost()
            return
        untouched = intact(body, entry)
        if not untouched:
            yield self._finding("was changed: its bytes do not have the hash it states")
        elif entry.number != self.head.number + 1:
            yield self._misplaced(entry)
        elif self._trusted and entry.previous != self.head.sha256:
            yield self._finding("does not follow the line before it: one of the two was replaced")
        self.head, self._trusted = entry.anchor, untouched
        if entry.number in self._wanted:
            self._seen[entry.number] = entry.sha256

    def held_against(self, name: str, anchor: Anchor) -> Iterator[Finding]:
        if anchor.number > self.lines:
            cut = f"The audit log was cut off after line {self.lines}: {name} knows entry {anchor.number}."
            yield Finding(self.lines, cut, name)
        elif self._seen.get(anchor.number) != anchor.sha256:
            other = f"Line {anchor.number} of the audit log is not the one that {name} knows"
            yield Finding(anchor.number, f"{other}: the log was written anew there or before.", name)

    def _misplaced(self, entry: Entry) -> Finding:
        due = self.head.number + 1
        if entry.number < due:
            return self._finding(f"holds entry {entry.number}, which was moved or repeated")
        gone = f"entry {due} is" if entry.number == due + 1 else f"entries {due} to {entry.number - 1} are"
        return self._finding(f"holds entry {entry.number}: {gone} missing there")

    def _lost(self) -> None:
        self.head, self._trusted = Anchor(self.head.number + 1, self.head.sha256), False

    def _finding(self, what: str) -> Finding:
        return Finding(self.lines, f"Line {self.lines} of the audit log {what}.")
