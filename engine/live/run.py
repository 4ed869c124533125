"""A live run from a source to an output, with its log, its record and its report."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from platform import node

from engine import record as records
from engine.core.geometry import Size
from engine.core.progress import Listener, Silent
from engine.errors import TargetError
from engine.live.controls import Controls
from engine.live.counters import LiveCounters
from engine.live.detector_thread import Watch
from engine.live.log import LiveLog, Start, record_of
from engine.live.masker import LiveMasker
from engine.live.record_facts import detection_of, source_facts_of, watches_of
from engine.live.settings import Following, Judging
from engine.live.threads import Stage
from engine.media.stream.live_input import LiveInput, told
from engine.media.stream.live_output import LiveEncoding, LiveOutput, scheme_of
from engine.media.stream.live_preview import Preview
from engine.media.stream.pushed_input import PushedInput, RunningSource
from engine.record import Document, Sha256, SourceFacts
from engine.storage.files import Data, data_folder
from engine.storage.files import write as write_file


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How to run.

    Attributes:
        watches: the detectors; live mode's when None.
        judging: when a frame counts as judged.
        following: how faces are followed.
        encoding: how the video is encoded.
        audio: copy the audio.
        patience: seconds for which a source that went away is tried again.
    """

    watches: tuple[Watch, ...] | None = None
    judging: Judging = Judging()
    following: Following = Following()
    encoding: LiveEncoding = LiveEncoding()
    audio: bool = True
    patience: float = 30.0


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
    judging: Judging
    following: Following
    counters: LiveCounters


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the log, the record and the report of a run go."""

    record: Path

    @property
    def log(self) -> Path:
        return self.record.with_suffix(".jsonl")

    @property
    def report(self) -> Path:
        return self.record.with_name(self.record.name.removesuffix(".json").removesuffix(".detections") + ".live.json")


def live(  # noqa: PLR0913
    source: str | Path | PushedInput,
    target: str | Path,
    options: LiveOptions | None = None,
    *,
    controls: Controls | None = None,
    record: Path | str | None = None,
    data: Path | str | None = None,
    listener: Listener | None = None,
    stop: threading.Event | None = None,
    watcher: Callable[[LiveCounters], None] | None = None,
    preview: Preview | None = None,
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
        watcher: is given the counters about once a second.
        preview: keeps the newest pictures for somebody who looks on.

    Raises:
        SourceError: the source cannot be opened or shows no frame.
        TargetError: the output or the log cannot be written.
        ModelError, InputError: a detector cannot be loaded, or an option is wrong.
        DetectorError: a detector was not loaded in time.
    """
    folder, options = data_folder(data), options or LiveOptions()
    places = _Places(Path(record) if record is not None else _record_path(str(target), folder))
    run = _Run(source, str(target), options, folder, places, preview)
    return run.into_report(
        controls or Controls(), listener or Silent(), stop or threading.Event(), watcher or (lambda _: None)
    )


def recover(log: Path | str, record: Path | str) -> records.Record:
    """Make the detection record of a live run that ended in a crash.

    Raises:
        RecordError: the log is none, or nothing was shown.
        TargetError: the record cannot be written.
    """
    made = record_of(Path(log))
    write_file(Path(record), records.encode(made))
    return made


class _Run:
    """One call of `live`."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        source: str | Path | PushedInput,
        target: str,
        options: LiveOptions,
        data: Data,
        places: _Places,
        preview: Preview | None,
    ) -> None:
        scheme_of(target)
        self._pushed = source if isinstance(source, PushedInput) else None
        self._source = source.address if isinstance(source, PushedInput) else str(source)
        self._target, self._options, self._preview = target, options, preview
        self._data, self._places = data, places
        self._watches = options.watches or watches_of()
        self._started = datetime.now(UTC).isoformat(timespec="seconds")

    def into_report(
        self, controls: Controls, listener: Listener, stop: threading.Event, watcher: Callable[[LiveCounters], None]
    ) -> LiveReport:
        begun, options = time.monotonic(), self._options
        with LiveMasker(
            self._watches,
            self._data.models,
            judging=options.judging,
            following=options.following,
            controls=controls,
        ) as masker:
            masker.wait_ready(options.judging.load)
            with self._pushed or LiveInput(self._source, stop, options.patience) as source:
                stage = Stage(
                    source,
                    masker,
                    self._opener(source, masker),
                    listener=listener,
                    watcher=watcher,
                    stop=stop,
                    preview=self._preview,
                )
                stage.run(audio=options.audio)
            counters = masker.counters
        return self._report(counters, time.monotonic() - begun)

    def _opener(self, source: RunningSource, masker: LiveMasker) -> Callable[[Size], tuple[LiveOutput, LiveLog]]:
        """Opens output and log once the size of the pictures is known."""
        facts = source_facts_of(source, audio=self._options.audio)  # before the pictures run: a file is hashed for it

        def opened(size: Size) -> tuple[LiveOutput, LiveLog]:
            audio = source.audio if self._options.audio else []
            encoding = self._options.encoding
            output = LiveOutput(self._target, size, source.time_base, source.rate, audio=audio, encoding=encoding)
            try:
                log = LiveLog(self._places.log, self._start(facts(size), source))
            except TargetError:
                output.abandon()
                raise
            masker.witness = log
            return output, log

        return opened

    def _start(self, facts: SourceFacts, source: RunningSource) -> Start:
        options = self._options
        return Start(
            address=told(self._source),
            target=told(self._target),
            started=self._started,
            source=facts,
            detection=detection_of(self._watches, options.following, float(source.rate)),
            judging=options.judging,
            following=options.following,
            encoding=options.encoding,
        )

    def _report(self, counters: LiveCounters, seconds: float) -> LiveReport:
        data = records.encode(record_of(self._places.log))
        report = LiveReport(
            source=told(self._source),
            target=told(self._target),
            record=str(self._places.record),
            record_sha256=records.digest(data),
            host=node(),
            started=self._started,
            seconds=round(seconds, 3),
            encoding=self._options.encoding,
            judging=self._options.judging,
            following=self._options.following,
            counters=counters,
        )
        write_file(self._places.record, data)
        write_file(self._places.report, records.encode(report))
        return report


def _record_path(target: str, data: Data) -> Path:
    if not scheme_of(target):
        return Path(target).with_name(Path(target).name + ".detections.json")
    return data.root / "live" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.detections.json"
