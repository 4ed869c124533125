"""One file of a batch: skip it if its output is current, else detect, render and verify what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import Literal

import msgspec

from engine.batch.journal import Journal, JournalEntry, hash_detection, hash_output_terms
from engine.core.json_decoder import decode_json
from engine.core.progress import ProgressListener
from engine.detection.detect import detect
from engine.detection.detector_reuse import DetectorReuse
from engine.detection.ledger import TransferLedger, ledger_path
from engine.detection.options import adapt_to_source, count_workers, plan_detectors
from engine.detection.passes import PassRunner
from engine.detection.results import list_detection_files
from engine.errors import InputError, TargetError
from engine.media.containers import MATROSKA
from engine.media.facts import MediaInfo
from engine.media.source.probe import probe
from engine.record import DetectOptions, Document
from engine.rendering.render import build_spec
from engine.rendering.report import report_path
from engine.rendering.terms import RenderOptions, terms_from_options
from engine.storage.data_folder import CHECKS_SUFFIX, RECORD_SUFFIX, DataFolder, append_suffix
from engine.storage.file_use import FileUse, check_file_use
from engine.storage.files import hash_file
from engine.verification.checked_render import render_and_verify

Status = Literal["done", "unchanged", "check failed", "failed"]
"""What became of a file: "unchanged" if its output was there already and is current."""


class BatchJob(Document, frozen=True):
    """A file of a batch with its options.

    Attributes:
        source: the file.
        name: path of the output in the output folder.
        is_name_chosen: the suffix of the name is kept; otherwise Matroska is used where the container of the source
            cannot be written.
        detection: options of the detection.
        rendering: style, encoder and audio spans.
        url: address of the file; `source` is then only its name. None: it is on this machine.
    """

    source: Path
    name: str
    is_name_chosen: bool = False
    detection: DetectOptions = DetectOptions()
    rendering: RenderOptions = RenderOptions()
    url: str | None = None

    @property
    def label(self) -> str:
        """The address or path of the file, for a person."""
        return self.url or str(self.source)


class FileReport(Document, frozen=True):
    """What became of one file of a batch.

    Attributes:
        source: path of the file.
        output: path of the output; None if the file failed before its name was known.
        status: what became of it.
        seconds: time it took.
        error: what was wrong, in a sentence; None if nothing was.
        frames: number of frames of the output; None if it was not rendered now.
        masked: frames with a mask; None if it was not rendered now.
        cost: US dollars that calls to remote detectors cost.
    """

    source: str
    output: str | None
    status: Status
    seconds: float
    error: str | None = None
    frames: int | None = None
    masked: int | None = None
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class JobContext:
    """What the files of a batch have in common.

    Attributes:
        folder: the output folder.
        data: the data folder.
        journal: of the output folder.
        detectors: running detectors that files with the same options share.
        listener: gets progress and notices.
        claimed_names: the source of each output name that was chosen so far.
        sources: the files of the whole batch; none of them may be an output.
        overwrite: replace outputs that the batch has not made itself.
        publish_url: address of a folder to which finished outputs are uploaded. None: they stay on this machine.
        runner: runs the local detectors on a cluster. None: they run here.
    """

    folder: Path
    data: DataFolder
    journal: Journal
    detectors: DetectorReuse
    listener: ProgressListener
    claimed_names: dict[str, Path] = field(default_factory=dict)
    sources: Sequence[Path] = ()
    overwrite: bool = False
    publish_url: str | None = None
    runner: PassRunner | None = None

    def claim_name(self, name: str, source: Path) -> None:
        """Keep an output from being overwritten by that of another file.

        Raises:
            InputError: another file has this output.
        """
        if (other := self.claimed_names.setdefault(name, source)) != source:
            raise InputError(f"{source} would have the output {name}, as {other} has; name the outputs in a manifest.")


@dataclass(frozen=True, slots=True)
class _Target:
    """The output of a job, and the hashes that say whether it is current."""

    output: Path
    name: str
    source_sha256: str
    detection_sha256: str
    terms_sha256: str

    @property
    def record(self) -> Path:
        return append_suffix(self.output, RECORD_SUFFIX)

    def make_detected_entry(self) -> JournalEntry:
        record_sha256 = hash_file(self.record)
        return JournalEntry(self.name, "detected", self.source_sha256, self.detection_sha256, record_sha256)

    def make_done_entry(self, output_sha256: str) -> JournalEntry:
        return msgspec.structs.replace(
            self.make_detected_entry(), step="done", terms_sha256=self.terms_sha256, output_sha256=output_sha256
        )


def perform_job(job: BatchJob, context: JobContext) -> FileReport:
    """Bring the output of one file up to date.

    A record that an interrupted batch completed is used again; an unfinished detection resumes from its checkpoint.

    Raises:
        VeilError: as `detect`, `render` and `verify` do.
    """
    started_s = monotonic()
    info = probe(job.source, listener=context.listener)
    target = _choose_target(job, info, context.folder)
    context.claim_name(target.name, job.source)
    _check_target(target, job, context)
    report = FileReport(str(job.source), str(target.output), "unchanged", 0.0)
    if not _is_output_current(target, context.journal):
        report = _make_output(job, adapt_to_source(job.detection, info), target, report, context)
    return msgspec.structs.replace(report, seconds=round(monotonic() - started_s, 3))


def is_job_current(job: BatchJob, entry: JournalEntry, context: JobContext) -> bool:
    """Return whether the output of an entry is what the job would give for the source of that entry."""
    suffix = PurePosixPath(entry.output).suffix
    target = _make_target(job, context.folder, PurePosixPath(entry.output), entry.source_sha256)
    fits = suffix == PurePosixPath(job.name).suffix or not job.is_name_chosen
    return fits and _is_output_current(target, context.journal)


def _check_target(target: _Target, job: BatchJob, context: JobContext) -> None:
    """Refuse an output that is a source, or that exists and was not made by this batch."""
    beside = [report_path(target.output), append_suffix(target.output, CHECKS_SUFFIX)]
    beside += list_detection_files(target.record)
    check_file_use(FileUse([job.source, *context.sources], [target.output, target.record], beside), overwrite=True)
    if not (context.journal.find(target.name, "detected") or context.journal.find(target.name, "done")):
        check_file_use(FileUse(writes=[target.output]), overwrite=context.overwrite)


def _choose_target(job: BatchJob, info: MediaInfo, folder: Path) -> _Target:
    name = PurePosixPath(job.name)
    try:
        build_spec(job.source, info, folder / name, job.rendering)
    except TargetError:
        if job.is_name_chosen:
            raise
        # The whole name and not only its stem: `a.avi` and `a.mov` must not both become `a.mkv`.
        name = name.with_name(name.name + MATROSKA.suffixes[0])
        build_spec(job.source, info, folder / name, job.rendering)
    return _make_target(job, folder, name, info.sha256)


def _make_target(job: BatchJob, folder: Path, name: PurePosixPath, source_sha256: str) -> _Target:
    return _Target(
        folder / name,
        str(name),
        source_sha256,
        hash_detection(job.detection, plan_detectors(job.detection)),
        hash_output_terms(terms_from_options(job.rendering, name.suffix)),
    )


def _is_output_current(target: _Target, journal: Journal) -> bool:
    """Return whether the output was made from this source with these options, and is still the file that was checked.

    The hashes of the files are taken anew: a file that was replaced or damaged since is made again.
    """
    entry = journal.find(target.name, "done")
    if entry is None or not (target.output.is_file() and target.record.is_file()):
        return False
    return entry == target.make_done_entry(hash_file(target.output))


def _is_record_current(target: _Target, journal: Journal) -> bool:
    return target.record.is_file() and journal.find(target.name, "detected") == target.make_detected_entry()


def _make_output(
    job: BatchJob, options: DetectOptions, target: _Target, report: FileReport, context: JobContext
) -> FileReport:
    target.output.parent.mkdir(parents=True, exist_ok=True)
    cost = 0.0
    if not _is_record_current(target, context.journal):
        plans = plan_detectors(options)
        workers = count_workers(options, plans)
        with nullcontext() if context.runner else context.detectors.borrow(plans, workers) as ensemble:
            detect(
                job.source, target.record, options,
                data=context.data.root, listener=context.listener, ensemble=ensemble, runner=context.runner,
            )  # fmt: skip
        context.journal.append(target.make_detected_entry())
        cost = _read_cost(target.record)
    rendered, checks = render_and_verify(
        job.source, target.record, target.output, job.rendering, listener=context.listener
    )
    made = msgspec.structs.replace(report, frames=rendered.frames, masked=rendered.masked, cost=cost)
    if not checks.passed:
        failed = ", ".join(check.name for check in checks.checks if not check.passed)
        return msgspec.structs.replace(made, status="check failed", error=f"Checks failed: {failed}.")
    context.journal.append(target.make_done_entry(rendered.output_sha256))
    return msgspec.structs.replace(made, status="done")


def _read_cost(record: Path) -> float:
    path = ledger_path(record)
    return decode_json(path.read_bytes(), type=TransferLedger).cost if path.is_file() else 0.0
