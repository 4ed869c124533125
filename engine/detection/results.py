"""The files that a finished detection writes: record, run facts and transfer ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from platform import node
from time import monotonic

from engine.detection.frame_detections import FrameDetections
from engine.detection.ledger import build_ledger, ledger_path
from engine.detectors.registry import DetectorPlan, select_remote
from engine.record import Document, Record, Sha256, encode_document, sha256_hex
from engine.storage.data_folder import RUN_FACTS_SUFFIX, append_suffix
from engine.storage.files import make_scratch_folder, write_file


class RunFacts(Document, frozen=True):
    """Facts that vary from run to run. They are written beside the record, never into it, so that records compare.

    Attributes:
        record_sha256: SHA-256 of the record.
        host: name of the machine.
        started: start of this attempt, RFC 3339 with zone.
        seconds: duration of this attempt.
        frames: number of frames in the record.
        resumed_frames: number of frames that an earlier attempt had finished.
        workers: worker processes for each local detector.
    """

    record_sha256: Sha256
    host: str
    started: str
    seconds: float
    frames: int
    resumed_frames: int
    workers: int


class Stopwatch:
    """The start of a run: as a time of day for people, and on a clock that is never set back."""

    def __init__(self) -> None:
        self.started_at, self._started_s = datetime.now(UTC), monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return monotonic() - self._started_s


def check_writable(output: Path) -> None:
    """Check that a file can be written beside `output`, before hours are spent on its content.

    Raises:
        TargetError: the folder is missing or read-only.
    """
    with make_scratch_folder(output):
        pass


def write_results(
    record: Record, output: Path, frames: Sequence[FrameDetections], plans: Sequence[DetectorPlan], run: RunFacts
) -> None:
    """Write ledger, run facts and record.

    The record comes last: its presence says that the other two are complete.

    Args:
        record: the record.
        output: path of the record; the other files go beside it.
        frames: detections of all passes.
        plans: the detectors of the run.
        run: facts of the run.

    Raises:
        TargetError: a file cannot be written.
    """
    if any(select_remote(plans)):
        ledger = build_ledger(frames, plans, run.record_sha256)
        write_file(ledger_path(output), encode_document(ledger))
    write_file(append_suffix(output, RUN_FACTS_SUFFIX), encode_document(run))
    write_file(output, encode_document(record))


def build_run_facts(record: Record, stopwatch: Stopwatch, resumed_frames: int, workers: int) -> RunFacts:
    """Collect the facts of a run that has just ended."""
    return RunFacts(
        record_sha256=sha256_hex(encode_document(record)),
        host=node(),
        started=stopwatch.started_at.isoformat(timespec="seconds"),
        seconds=round(stopwatch.elapsed_s, 3),
        frames=len(record.frames),
        resumed_frames=resumed_frames,
        workers=workers,
    )
