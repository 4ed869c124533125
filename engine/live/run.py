"""A live run from a source to an output, with its log, its record and its report."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from platform import node

from engine.core.geometry import Size
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import TargetError
from engine.live.controls import LiveControls
from engine.live.counters import LiveCounters
from engine.live.detector_thread import DetectorRole
from engine.live.log import LiveLog, Start, record_from_log
from engine.live.masker import LiveMasker
from engine.live.record_facts import build_detection_config, plan_detector_roles, prepare_source_facts
from engine.live.settings import FollowingSettings, JudgingSettings
from engine.live.threads import LiveThreads
from engine.media.stream.live_input import LiveInput, strip_credentials
from engine.media.stream.live_output import LiveEncoding, LiveOutput, parse_output_scheme
from engine.media.stream.live_preview import LivePreview
from engine.media.stream.pushed_input import LiveSource, PushedInput
from engine.record import Document, Record, Sha256, SourceFacts, encode_document, sha256_hex
from engine.storage.data_folder import RECORD_SUFFIX, DataFolder, append_suffix, find_data_folder
from engine.storage.files import write_file


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How to run.

    Attributes:
        detector_roles: the detectors; live mode's when None.
        judging: when a frame counts as judged.
        following: how faces are followed.
        encoding: how the video is encoded.
        audio: copy the audio.
        reconnect_timeout_s: seconds for which a source that went away is tried again.
    """

    detector_roles: tuple[DetectorRole, ...] | None = None
    judging: JudgingSettings = JudgingSettings()
    following: FollowingSettings = FollowingSettings()
    encoding: LiveEncoding = LiveEncoding()
    audio: bool = True
    reconnect_timeout_s: float = 30.0


class LiveReport(Document, frozen=True):
    """A live run in figures; lies beside its record.

    Attributes:
        source, target: where from and where to, without names and passwords.
        record: path of the detection record, and its hash.
        seconds: the run lasted.
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
class _OutputPaths:
    """Where the log, the record and the report of a run go."""

    record: Path

    @property
    def log(self) -> Path:
        return self.record.with_suffix(".jsonl")

    @property
    def report(self) -> Path:
        return self.record.with_name(self.record.name.removesuffix(".json").removesuffix(".detections") + ".live.json")


def anonymise_live(  # noqa: PLR0913
    source: str | Path | PushedInput,
    target: str | Path,
    options: LiveOptions | None = None,
    *,
    controls: LiveControls | None = None,
    record: Path | str | None = None,
    data: Path | str | None = None,
    listener: ProgressListener | None = None,
    stop: threading.Event | None = None,
    counter_observer: Callable[[LiveCounters], None] | None = None,
    preview: LivePreview | None = None,
) -> LiveReport:
    """Hide the faces of a running picture until it ends or is told to stop.

    No frame goes out that was not judged; what is not judged in time is covered whole and counted. What was shown is
    written down while it runs (`NAME.jsonl`) and becomes a detection record at the end, with a report beside it.

    Args:
        source: a file (read at the speed of its clock), a camera, an address, or what hands frames over; the last is
            made with the same `stop`.
        target: a file, or an address.
        options: how to run.
        controls: what can be changed meanwhile.
        record: where the record goes; beside a file output, else under the data folder, when None.
        data: the data folder.
        listener: hears of progress.
        stop: ends the run in order when it is set.
        counter_observer: is given the counters about once a second.
        preview: keeps the newest pictures for somebody who looks on.

    Raises:
        SourceError: the source cannot be opened or shows no frame.
        TargetError: the output or the log cannot be written.
        ModelError, InputError: a detector cannot be loaded, or an option is wrong.
        DetectorError: a detector was not loaded in time.
    """
    folder, options = find_data_folder(data), options or LiveOptions()
    places = _OutputPaths(Path(record) if record is not None else _default_record_path(str(target), folder))
    run = _LiveRunner(source, str(target), options, folder, places, preview)
    return run.run(
        controls or LiveControls(),
        listener or SilentListener(),
        stop or threading.Event(),
        counter_observer or (lambda _: None),
    )


def recover_record(log: Path | str, record: Path | str) -> Record:
    """Make the detection record of a live run that ended in a crash.

    Raises:
        RecordError: the log is none, or nothing was shown.
        TargetError: the record cannot be written.
    """
    made = record_from_log(Path(log))
    write_file(Path(record), encode_document(made))
    return made


class _LiveRunner:
    """One call of `live`."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        source: str | Path | PushedInput,
        target: str,
        options: LiveOptions,
        data: DataFolder,
        paths: _OutputPaths,
        preview: LivePreview | None,
    ) -> None:
        parse_output_scheme(target)
        self._pushed_input = source if isinstance(source, PushedInput) else None
        self._source = source.address if isinstance(source, PushedInput) else str(source)
        self._target, self._options, self._preview = target, options, preview
        self._data, self._paths = data, paths
        self._detector_roles = options.detector_roles or plan_detector_roles()
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")

    def run(
        self,
        controls: LiveControls,
        listener: ProgressListener,
        stop: threading.Event,
        counter_observer: Callable[[LiveCounters], None],
    ) -> LiveReport:
        begun, options = time.monotonic(), self._options
        with LiveMasker(
            self._detector_roles,
            self._data.models,
            judging=options.judging,
            following=options.following,
            controls=controls,
        ) as masker:
            masker.wait_until_ready(options.judging.load)
            with self._pushed_input or LiveInput(self._source, stop, options.reconnect_timeout_s) as source:
                stage = LiveThreads(
                    source,
                    masker,
                    self._prepare_opener(source, masker),
                    listener=listener,
                    counter_observer=counter_observer,
                    stop=stop,
                    preview=self._preview,
                )
                stage.run(audio=options.audio)
            counters = masker.counters
        return self._write_report(counters, time.monotonic() - begun)

    def _prepare_opener(self, source: LiveSource, masker: LiveMasker) -> Callable[[Size], tuple[LiveOutput, LiveLog]]:
        """Opens output and log once the size of the pictures is known."""
        facts = prepare_source_facts(
            source, audio=self._options.audio
        )  # before the pictures run: a file is hashed for it

        def open_output(size: Size) -> tuple[LiveOutput, LiveLog]:
            audio = source.audio_streams if self._options.audio else []
            encoding = self._options.encoding
            output = LiveOutput(self._target, size, source.time_base, source.rate, audio=audio, encoding=encoding)
            try:
                log = LiveLog(self._paths.log, self._build_start_line(facts(size), source))
            except TargetError:
                output.abandon()
                raise
            masker.log_sink = log
            return output, log

        return open_output

    def _build_start_line(self, facts: SourceFacts, source: LiveSource) -> Start:
        options = self._options
        return Start(
            address=strip_credentials(self._source),
            target=strip_credentials(self._target),
            started=self._started_at,
            source=facts,
            detection=build_detection_config(self._detector_roles, options.following, float(source.rate)),
            judging=options.judging,
            following=options.following,
            encoding=options.encoding,
        )

    def _write_report(self, counters: LiveCounters, duration_s: float) -> LiveReport:
        data = encode_document(record_from_log(self._paths.log))
        report = LiveReport(
            source=strip_credentials(self._source),
            target=strip_credentials(self._target),
            record=str(self._paths.record),
            record_sha256=sha256_hex(data),
            host=node(),
            started=self._started_at,
            seconds=round(duration_s, 3),
            encoding=self._options.encoding,
            judging=self._options.judging,
            following=self._options.following,
            counters=counters,
        )
        write_file(self._paths.record, data)
        write_file(self._paths.report, encode_document(report))
        return report


def _default_record_path(target: str, data: DataFolder) -> Path:
    if not parse_output_scheme(target):
        return append_suffix(Path(target), RECORD_SUFFIX)
    return data.live_records / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}{RECORD_SUFFIX}"
