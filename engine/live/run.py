"""A live run from a source to an output, with its log, its record and its report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from platform import node

from engine.core.addresses import strip_credentials
from engine.core.geometry import Size
from engine.core.wording import format_count
from engine.errors import SourceError, TargetError
from engine.live.counters import LiveCounters
from engine.live.detector_thread import DetectorRole
from engine.live.hooks import LiveHooks
from engine.live.log import LiveLog, Start, record_from_log
from engine.live.masker import LiveMasker
from engine.live.priority import raised_priority
from engine.live.record_facts import LiveSourceFacts, build_detection_config, plan_detector_roles, read_source_facts
from engine.live.settings import FollowingSettings, JudgingSettings
from engine.live.threads import LiveThreads
from engine.media.stream.isolated_input import IsolatedInput
from engine.media.stream.live_output import LiveEncoding, LiveOutput, parse_output_scheme, partial_path
from engine.media.stream.live_source import LiveSource
from engine.media.stream.pushed_input import PushedInput
from engine.record import Document, Record, Sha256, encode_document, sha256_hex
from engine.storage.data_folder import RECORD_SUFFIX, DataFolder, append_suffix, find_data_folder
from engine.storage.file_use import FileUse, check_file_use
from engine.storage.files import write_file


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Options of a live run.

    Attributes:
        detector_roles: the detectors; those of live mode if None.
        judging: when a frame counts as judged.
        following: how faces are followed.
        encoding: how the video is encoded.
        audio: copy the audio.
        reconnect_timeout_s: seconds for which a source that was lost is tried again.
    """

    detector_roles: tuple[DetectorRole, ...] | None = None
    judging: JudgingSettings = JudgingSettings()
    following: FollowingSettings = FollowingSettings()
    encoding: LiveEncoding = LiveEncoding()
    audio: bool = True
    reconnect_timeout_s: float = 30.0


class LiveReport(Document, frozen=True):
    """Figures of a live run; written beside its record.

    Attributes:
        source: address without user name and password; "file" for a file, whose hash the record has.
        target: address or path, likewise.
        record: path of the detection record.
        record_sha256: hash of the record.
        host: name of the machine.
        started: start of the run, RFC 3339 with zone.
        seconds: duration of the run.
    """

    source: str
    target: str
    record: str
    record_sha256: Sha256
    host: str
    started: str
    seconds: float
    encoding: LiveEncoding
    judging: JudgingSettings
    following: FollowingSettings
    counters: LiveCounters


@dataclass(frozen=True, slots=True)
class _LiveJob:
    """The arguments of one live run with every default filled in.

    Attributes:
        source: address or path; a name if the caller pushes frames.
        pushed_input: the source if the caller pushes frames.
        record: path of the record; the log and the report lie beside it.
    """

    source: str
    pushed_input: PushedInput | None
    target: str
    options: LiveOptions
    detector_roles: tuple[DetectorRole, ...]
    hooks: LiveHooks
    models: Path
    record: Path
    started_at: str

    @property
    def log(self) -> Path:
        return self.record.with_suffix(".jsonl")

    @property
    def report(self) -> Path:
        return self.record.with_name(self.record.name.removesuffix(".json").removesuffix(".detections") + ".live.json")

    @property
    def input_files(self) -> tuple[Path, ...]:
        return (Path(self.source),) if self.pushed_input is None and Path(self.source).is_file() else ()

    @property
    def output_files(self) -> tuple[Path, ...]:
        documents = (self.record, self.log, self.report)
        target = Path(self.target)
        return documents if parse_output_scheme(self.target) else (target, partial_path(target), *documents)

    @property
    def source_label(self) -> str:
        # A file is named after a person often enough; the record has its SHA-256, which tells which file it was.
        return "file" if self.input_files else strip_credentials(self.source)

    def open_source(self) -> PushedInput | IsolatedInput:
        return self.pushed_input or IsolatedInput(self.source, self.hooks.stop, self.options.reconnect_timeout_s)


def anonymise_live(  # noqa: PLR0913 - where from, where to, and four things with defaults
    source: str | Path | PushedInput,
    target: str | Path,
    options: LiveOptions | None = None,
    *,
    hooks: LiveHooks | None = None,
    record: Path | str | None = None,
    data: Path | str | None = None,
    overwrite: bool = True,
) -> LiveReport:
    """Hide the faces in a running picture until it ends or is stopped.

    No frame goes out that was not judged; a frame that is not judged in time is covered whole and counted. What was
    shown is logged while the run goes on (`NAME.jsonl`); at the end the log becomes a detection record, with a report
    beside it.

    Args:
        source: a file (read at the speed of its clock), a camera, an address, or a `PushedInput`, which must have been
            made with `hooks.stop`.
        target: a file or an address.
        options: options of the run.
        hooks: controls, stop, progress, counters and preview of the caller.
        record: path of the record; if None, beside an output file, else under the data folder.
        data: the data folder.
        overwrite: replace files that exist, also the log of a run that crashed.

    Raises:
        SourceError: the source cannot be opened or has no frame, or what decodes it crashed. After the first frame the
            output, the log, the record and the report are complete nevertheless.
        TargetError: the output or the log cannot be written, is the source, or exists and must not be replaced.
        ModelError, InputError: a detector cannot be loaded, or an option is wrong.
        DetectorError: a detector was not loaded in time.
    """
    folder, options, hooks = find_data_folder(data), options or LiveOptions(), hooks or LiveHooks()
    job = _LiveJob(
        source=source.address if isinstance(source, PushedInput) else str(source),
        pushed_input=source if isinstance(source, PushedInput) else None,
        target=str(target),
        options=options,
        detector_roles=options.detector_roles or plan_detector_roles(),
        hooks=hooks,
        models=folder.models,
        record=Path(record) if record is not None else _default_record_path(str(target), folder),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    # Refuse a wrong address before the detectors are loaded, which takes seconds.
    parse_output_scheme(job.target)
    check_file_use(FileUse(job.input_files, job.output_files), overwrite=overwrite)
    return _run_job(job)


def recover_record(log: Path | str, record: Path | str, *, overwrite: bool = True) -> Record:
    """Write the detection record of a live run that ended in a crash, from its log.

    Args:
        log: the log.
        record: the record to write.
        overwrite: replace `record` if it exists.

    Raises:
        RecordError: the file is not such a log, or no frame was shown.
        TargetError: the record cannot be written.
    """
    check_file_use(FileUse([Path(log)], [Path(record)]), overwrite=overwrite)
    recovered = record_from_log(Path(log))
    write_file(Path(record), encode_document(recovered))
    return recovered


def _run_job(job: _LiveJob) -> LiveReport:
    started_s, options = time.monotonic(), job.options
    with (
        raised_priority(),
        LiveMasker(
            job.detector_roles,
            job.models,
            judging=options.judging,
            following=options.following,
            controls=job.hooks.controls,
        ) as masker,
    ):
        # The source opens when the detectors are loaded: a camera's first seconds would only be covered or dropped.
        masker.wait_until_ready(options.judging.load)
        with job.open_source() as source:
            opener = _prepare_opener(job, source, masker)
            threads = LiveThreads(source, masker, opener, job.hooks, audio=options.audio)
            threads.run()
            assert masker.size is not None, "a run without a frame has raised"
            encoding = options.encoding.choose_preset(masker.size, source.rate)
        counters = masker.counters
    report = _write_report(job, counters, encoding, time.monotonic() - started_s)
    if threads.source_error is not None:
        raise SourceError(
            f"{threads.source_error} The {format_count(counters.shown, 'frame')} shown until then and the record are "
            "complete."
        )
    return report


def _prepare_opener(
    job: _LiveJob, source: LiveSource, masker: LiveMasker
) -> Callable[[Size], tuple[LiveOutput, LiveLog]]:
    """Return a function that opens the output and the log once the size of the frames is known."""
    # The facts are read before the first frame: hashing a large file takes seconds, for which its clock must not run.
    facts = read_source_facts(source, audio=job.options.audio)

    def open_output(size: Size) -> tuple[LiveOutput, LiveLog]:
        audio = source.audio_streams if job.options.audio else []
        encoding = job.options.encoding.choose_preset(size, source.rate)
        output = LiveOutput(job.target, size, source.time_base, source.rate, audio=audio, encoding=encoding)
        try:
            log = LiveLog(job.log, _build_start_line(job, facts, size, encoding))
        except TargetError:
            # Without a log nothing may be shown: the run could not be audited.
            output.abandon()
            raise
        masker.state.log_sink = log
        return output, log

    return open_output


def _build_start_line(job: _LiveJob, facts: LiveSourceFacts, size: Size, encoding: LiveEncoding) -> Start:
    options = job.options
    return Start(
        address=job.source_label,
        target=strip_credentials(job.target),
        started=job.started_at,
        source=facts.to_source_facts(size),
        detection=build_detection_config(job.detector_roles, options.following, float(facts.rate)),
        judging=options.judging,
        following=options.following,
        encoding=encoding,
    )


def _write_report(job: _LiveJob, counters: LiveCounters, encoding: LiveEncoding, duration_s: float) -> LiveReport:
    record_bytes = encode_document(record_from_log(job.log))
    report = LiveReport(
        source=job.source_label,
        target=strip_credentials(job.target),
        record=str(job.record),
        record_sha256=sha256_hex(record_bytes),
        host=node(),
        started=job.started_at,
        seconds=round(duration_s, 3),
        encoding=encoding,
        judging=job.options.judging,
        following=job.options.following,
        counters=counters,
    )
    write_file(job.record, record_bytes)
    write_file(job.report, encode_document(report))
    return report


def _default_record_path(target: str, data: DataFolder) -> Path:
    if not parse_output_scheme(target):
        return append_suffix(Path(target), RECORD_SUFFIX)
    return data.live_records / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}{RECORD_SUFFIX}"
