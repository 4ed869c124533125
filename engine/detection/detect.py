"""From a video to a detection record: the one place that puts the stages together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from platform import node
from time import monotonic

import msgspec

from engine import record as records
from engine.core.progress import Listener, Silent
from engine.detection import frame_selection
from engine.detection.assemble import assembled
from engine.detection.batches import Pictures, joined, places_asked
from engine.detection.checkpoint import Journal, Seen
from engine.detection.chunk_ledger import CHUNK, _Chunks, _chunks
from engine.detection.cost import Spending, ledger, ledger_path
from engine.detection.observer import Watcher
from engine.detection.options import DetectOptions, plans, workers
from engine.detectors.base import RemoteSettings
from engine.detectors.ensemble import Answers, Crew
from engine.detectors.registry import DetectorPlan
from engine.media.facts import MediaInfo
from engine.media.source.image_sequence import look, open_any
from engine.media.source.prefetch import ahead
from engine.record import (
    Document,
    Record,
    Sha256,
)
from engine.storage.files import Data, data_folder, scratch
from engine.storage.files import write as write_file

_AHEAD = 4
"""Frames that are decoded while those before them are converted and handed on."""


class RunFacts(Document, frozen=True):
    """What varies from run to run; lies beside the record, never in it."""

    record_sha256: Sha256
    host: str
    started: str
    seconds: float
    frames: int
    resumed_frames: int
    workers: int


class _Subject(Document, frozen=True):
    """All that decides what the detectors see: names the journal."""

    source: Sha256
    detectors: tuple[records.DetectorFacts, ...]
    on_damage: str
    chunk: int
    asked: Sha256 | None = None


def detect(  # noqa: PLR0913 - what, where to, how, and who hears of it
    source: Path | str,
    output: Path | str | None = None,
    options: DetectOptions | None = None,
    *,
    data: Path | str | None = None,
    listener: Listener | None = None,
    crew: Crew | None = None,
    watcher: Watcher | None = None,
) -> Record:
    """Find the faces in a video, in a photograph, or in a folder of numbered stills taken for a video.

    What is found is kept while it runs: the same call after an interruption goes on where it stopped, and ends with
    the same record.

    Args:
        source: the video, photograph or folder.
        output: file to write the record to, with the facts of the run beside it (`NAME.run.json`).
        options: what to run; on-prem detection when left out.
        data: the data folder (see `engine.storage.files.data_folder`).
        listener: hears of progress.
        crew: detectors that run already, as `options` name them; they are left running.
        watcher: is shown what is found.

    Raises:
        SourceError: the source is not a readable video; DamagedFrameError names a frame.
        InputError: an option is unknown, or another process is at the same work.
        ModelError: weights are missing or not the pinned ones.
        DetectorError: a detector's process died, hung or failed.
        TargetError: the record cannot be written.
    """
    options, listener = options or DetectOptions(), listener or Silent()
    run = _Run(Path(source), options, data_folder(data), listener, crew, watcher)
    return run.into(Path(output) if output else None)


class _Run:
    """One call of `detect`."""

    def __init__(  # noqa: PLR0913, PLR0917 - as `detect`
        self,
        source: Path,
        options: DetectOptions,
        data: Data,
        listener: Listener,
        crew: Crew | None,
        watcher: Watcher | None,
    ) -> None:
        self._watcher = watcher
        self._source, self._options, self._data, self._listener, self._crew = source, options, data, listener, crew
        self._plans = plans(options)
        self._workers = workers(options, self._plans)
        self._started, self._clock = datetime.now(UTC), monotonic()
        self._spending = Spending(self._plans, options.max_cost, listener)

    def into(self, output: Path | None) -> Record:
        if output is not None:
            with scratch(output):  # an output that cannot be written is said before the work, not after it
                pass
        info = look(self._source, listener=self._listener)
        with ExitStack() as journals:
            journal, *others = self._looked(info, journals, output)
            resumed = self._resumed
            seen = joined([one.seen() for one in (journal, *others)])
            record = assembled(seen, info, tuple(plan.facts for plan in self._plans), self._options)
            self._spending.end()
            if output is not None:
                self._write(record, output, resumed, seen)
            for one in (journal, *others):
                one.discard()
        return record

    def _looked(self, info: MediaInfo, journals: ExitStack, output: Path | None) -> list[Journal]:
        """A full journal for each pass over the video; the second asks about what the first left contested."""
        full: list[Journal] = []
        contested: frozenset[int] | None = None
        frames = info.video.packets
        for running in frame_selection.passes(self._plans):
            if full:
                contested, frames = self._contested(full[0], running), full[0].frames
            facts = tuple(plan.facts for plan in (*running, *(self._plans if full else ())))
            which = None if contested is None else records.digest(msgspec.json.encode(sorted(contested)))
            subject = _Subject(info.sha256, facts, self._options.on_damage, CHUNK, which)
            journal = journals.enter_context(Journal(self._data.work, subject))
            self._resumed = journal.frames
            self._spending.resume(journal.seen())
            self._spending.plan(frames, contested)
            full.append(journal)
            with self._accounted(full, output):
                which_frames = frame_selection.asked(running, contested or frozenset())
                self._fill(journal, info, self._spending.limited(running), which_frames)
        return full

    def _contested(self, journal: Journal, plans: Sequence[DetectorPlan]) -> frozenset[int]:
        seen = tuple(journal.seen())
        sightings, changes = [frame.sightings for frame in seen], [frame.change for frame in seen]
        options = self._options
        chosen = (
            frame_selection.contested(sightings, changes, options.fusion, options.tracking, plan.settings)
            for plan in plans
            if isinstance(plan.settings, RemoteSettings)
        )
        return frozenset(index for some in chosen for index in some if not seen[index].damaged)

    @contextmanager
    def _accounted(self, journals: Sequence[Journal], output: Path | None) -> Iterator[None]:
        """Leave a ledger of what left the machine when the block fails."""
        try:
            yield
        except BaseException:
            sent = ledger(joined([journal.seen() for journal in journals]), self._plans, None)
            if output is not None and sent.frames:
                write_file(ledger_path(output), records.encode(sent))
            raise

    def _fill(
        self,
        journal: Journal,
        info: MediaInfo,
        plans: Sequence[DetectorPlan],
        asked: Mapping[str, frame_selection.Asked],
    ) -> None:
        """Bring the journal to the end of the video."""
        with (
            open_any(self._source, info, on_damage=self._options.on_damage) as source,
            ahead(source.frames(), _AHEAD) as frames_ahead,
            nullcontext(self._crew) if self._crew else Crew(plans, self._data.models, self._workers) as crew,
        ):
            crew.start_at(journal.chunks)
            self._listener.progress("detect", journal.frames, info.video.packets)
            chunks = _Chunks(journal, info.video.display, plans, self._spending.heard, self._watcher)
            chunks.tell_again()
            for ticket, frames, changes in _chunks(frames_ahead, skip=journal.chunks):
                pictures = {side: Pictures(frames, side) for side in crew.sides}
                places = {name: places_asked(frames, which) for name, which in asked.items()}
                crew.submit(ticket, pictures, f"frames {frames[0].index} to {frames[-1].index}", places)
                chunks.expect(ticket, frames, changes, places)
                self._keep(chunks, crew.finished(), journal, info)
            self._keep(chunks, crew.rest(), journal, info)

    def _keep(
        self, chunks: _Chunks, finished: Iterator[tuple[int, Answers]], journal: Journal, info: MediaInfo
    ) -> None:
        for ticket, answers in finished:
            chunks.keep(ticket, answers)
            self._listener.progress("detect", journal.frames, info.video.packets)

    def _write(self, record: Record, output: Path, resumed: int, seen: Sequence[Seen]) -> None:
        data = records.encode(record)
        if any(isinstance(plan.settings, RemoteSettings) for plan in self._plans):
            sent = ledger(seen, self._plans, records.digest(data))
            write_file(ledger_path(output), records.encode(sent))
        run = RunFacts(
            record_sha256=records.digest(data),
            host=node(),
            started=self._started.isoformat(timespec="seconds"),
            seconds=round(monotonic() - self._clock, 3),
            frames=len(record.frames),
            resumed_frames=resumed,
            workers=self._workers,
        )
        write_file(output.with_name(output.name + ".run.json"), records.encode(run))
        write_file(output, data)
