"""The files that a finished detection writes: record, run facts and transfer ledger."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from platform import node
from time import monotonic

import msgspec

from engine.detection.frame_detections import FrameDetections
from engine.detection.ledger import build_ledger, ledger_path
from engine.detectors.registry import DetectorPlan, select_remote
from engine.errors import InputError, TargetError
from engine.record import (
    DetectOptions,
    DetectorFacts,
    Document,
    Record,
    Sha256,
    encode_document,
    hash_record,
    iterate_record,
    read_document,
    read_hashed_record,
    sha256_hex,
)
from engine.storage.data_folder import RUN_FACTS_SUFFIX, append_suffix
from engine.storage.files import make_scratch_folder, write_file, write_pieces
from engine.version import VERSION


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
        request_sha256: hash of everything that decides the record; None in files of earlier versions.
    """

    record_sha256: Sha256
    host: str
    started: str
    seconds: float
    frames: int
    resumed_frames: int
    workers: int
    request_sha256: Sha256 | None = None


class _DetectionRequest(Document, frozen=True):
    """Everything that decides a record."""

    veil: str
    source: Sha256
    detectors: tuple[DetectorFacts, ...]
    options: DetectOptions


class Stopwatch:
    """The start of a run: as a time of day for people, and on a clock that is never set back."""

    def __init__(self) -> None:
        self.started_at, self._started_s = datetime.now(UTC), monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return monotonic() - self._started_s


def hash_request(source_sha256: Sha256, plans: Sequence[DetectorPlan], options: DetectOptions) -> Sha256:
    """Hash everything that decides the record of a detection: two detections with one hash give the same record."""
    deciding = msgspec.structs.replace(options, workers=None, max_cost=None)
    facts = tuple(plan.facts for plan in plans)
    return sha256_hex(encode_document(_DetectionRequest(VERSION, source_sha256, facts, deciding)))


def read_finished_record(output: Path, request_sha256: Sha256) -> Record | None:
    """Return the record that an earlier detection with the same request has written there; None if there is none.

    The facts beside a record bind it to its request, so an edited record, or one of other options, does not count.

    Raises:
        TargetError: another file has that name.
    """
    if not os.path.lexists(output):
        return None
    try:
        facts = read_document(append_suffix(output, RUN_FACTS_SUFFIX), RunFacts, "facts of a detection")
        record, sha256 = read_hashed_record(output)
        if facts.request_sha256 == request_sha256 and facts.record_sha256 == sha256:
            return record
    except InputError:
        pass  # Whatever is there is not a record with its facts; the sentence below is all that matters of it.
    raise TargetError(
        f"{output} exists already, and is not the record of this detection. Give another name, or replace it with "
        "--overwrite."
    )


def list_detection_files(output: Path) -> tuple[Path, ...]:
    """List the documents that are written beside a record."""
    return append_suffix(output, RUN_FACTS_SUFFIX), ledger_path(output)


def check_writable(output: Path) -> None:
    """Check that a file can be written beside `output`, before hours are spent on its content.

    Raises:
        TargetError: the folder is missing or read-only.
    """
    with make_scratch_folder(output):
        pass


def write_results(
    record: Record, output: Path, frames: Iterable[FrameDetections], plans: Sequence[DetectorPlan], run: RunFacts
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
    write_pieces(output, iterate_record(record))


def build_run_facts(
    record: Record, stopwatch: Stopwatch, resumed_frames: int, workers: int, request_sha256: Sha256
) -> RunFacts:
    """Collect the facts of a run that has just ended."""
    return RunFacts(
        record_sha256=hash_record(record),
        host=node(),
        started=stopwatch.started_at.isoformat(timespec="seconds"),
        seconds=round(stopwatch.elapsed_s, 3),
        frames=len(record.frames),
        resumed_frames=resumed_frames,
        workers=workers,
        request_sha256=request_sha256,
    )
