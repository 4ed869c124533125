"""The two places where a release can be extended: checks before it, and certifiers after it.

A `ReleaseCheck` examines the rendered output before it is released. It writes its report into the folder of the release
and raises SignOffError or CheckFailedError, with a sentence for the person, to hold the output back. A `Certifier` runs
when the release is signed and logged, and writes a document that proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine import audit
from engine.access.run_context import RunContext
from engine.approval.statements import Statement
from engine.approval.workflow import Clearance
from engine.core.progress import ProgressListener
from engine.release.snapshot import SignOffSnapshot
from engine.rendering.report import RenderReport
from engine.storage.data_folder import RECORD_NAME, REVIEW_NAME
from engine.verification.report import VerifyReport


@dataclass(frozen=True, slots=True)
class ReleaseCandidate:
    """An output that is rendered and verified but not released.

    Attributes:
        context: The run, and the person who releases it.
        snapshot: The run as it was read for the sign-off.
        clearance: The proof that review and approval count for these bytes.
        folder: The folder of the release while it is made; files written there stay with the release. It contains the
            record (`detections.json`) and the amendments (`review.jsonl`, if any) that were rendered.
        output: The video in that folder.
        report: The report of the render.
        checks: The report of the verification.
        listener: Receives progress.
    """

    context: RunContext
    snapshot: SignOffSnapshot
    clearance: Clearance
    folder: Path
    output: Path
    report: RenderReport
    checks: VerifyReport
    listener: ProgressListener

    @property
    def record_path(self) -> Path:
        """Path of the record that was rendered."""
        return self.folder / RECORD_NAME

    @property
    def review_path(self) -> Path | None:
        """Path of the amendments that were rendered, None if there are none."""
        path = self.folder / REVIEW_NAME
        return path if path.exists() else None


@dataclass(frozen=True, slots=True)
class CertifiableRelease:
    """An output that is released and logged, but has no certificate yet.

    Attributes:
        candidate: The output before it was released.
        statement: The statement that releases it.
        head: The anchor of the audit log, the release included.
    """

    candidate: ReleaseCandidate
    statement: Statement
    head: audit.Anchor


ReleaseCheck = Callable[[ReleaseCandidate], None]
Certifier = Callable[[CertifiableRelease], None]
