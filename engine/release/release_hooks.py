"""Where evidence about an output is made: what is gathered before a release, and what certifies it after.

An `EvidenceStep` looks at the rendered output before anybody releases it. It writes what it found into the folder of
the release and raises SignOffError or CheckFailedError, with the sentence that a person needs, to keep the output back.
A `Certifier` runs when the release is signed and on record, and writes what proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine import audit
from engine.approval.statements import Statement
from engine.approval.workflow import Clearance
from engine.core.progress import ProgressListener
from engine.release.snapshot import SignOffSnapshot
from engine.rendering.report import RenderReport
from engine.storage.data_folder import RECORD_NAME, REVIEW_NAME, DataFolder
from engine.verification.report import VerifyReport


@dataclass(frozen=True, slots=True)
class ReleaseCandidate:
    """An output that is rendered and verified, and not released yet.

    Attributes:
        folder: of the release while it is made; files written there stay with it. It holds the very record
            (`detections.json`) and amendments (`review.jsonl`, if there are any) that were rendered.
        output: the video in it.
    """

    data: DataFolder
    snapshot: SignOffSnapshot
    clearance: Clearance
    folder: Path
    output: Path
    report: RenderReport
    checks: VerifyReport
    listener: ProgressListener

    @property
    def record_path(self) -> Path:
        """The record that was rendered."""
        return self.folder / RECORD_NAME

    @property
    def review_path(self) -> Path | None:
        """The amendments that were rendered."""
        path = self.folder / REVIEW_NAME
        return path if path.exists() else None


@dataclass(frozen=True, slots=True)
class CertifiableRelease:
    """An output that is released: what it was before, the statement that releases it, and the log up to that."""

    candidate: ReleaseCandidate
    statement: Statement
    head: audit.Anchor


ReleaseCheck = Callable[[ReleaseCandidate], None]
Certifier = Callable[[CertifiableRelease], None]
