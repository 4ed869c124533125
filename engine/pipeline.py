"""From a video to a detection record: the one place that puts the stages together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from platform import node
from time import monotonic

import msgspec

from engine import asking
from engine import record as records
from engine.chunks import Pictures, joined, places_asked
from engine.detectors.base import Receipt, RemoteSettings, Sighting
from engine.detectors.crew import Answers, Crew
from engine.detectors.registry import DetectorPlan
from engine.geometry import Box, Size
from engine.journal import Journal, Seen
from engine.media.ahead import ahead
from engine.media.facts import MediaInfo, source_facts
from engine.media.frame import SourceFrame
from engine.media.stills import look, open_any
from engine.options import DetectOptions, plans, workers
from engine.progress import Listener, Silent
from engine.record import (
    SCHEMA,
    Detection,
    Document,
    Frame,
    Record,
    Sha256,
)
from engine.rendering import RenderOptions, RenderReport, refuse_early, render
from engine.spending import Spending, ledger, ledger_path
from engine.store import Data, data_folder, scratch
from engine.store import write as write_file
from engine.timeline.compose import build
from engine.timeline.cuts import change
from engine.verification import VerifyReport, verify
from engine.watching import GLIMPSE, Glimpse, Watcher

CHUNK = 4
"""Frames that travel to a detector together; decides speed and memory, never the answer."""
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
        data: the data folder (see `engine.store.data_folder`).
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
        for running in asking.passes(self._plans):
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
                which_frames = asking.asked(running, contested or frozenset())
                self._fill(journal, info, self._spending.limited(running), which_frames)
        return full

    def _contested(self, journal: Journal, plans: Sequence[DetectorPlan]) -> frozenset[int]:
        seen = tuple(journal.seen())
        sightings, changes = [frame.sightings for frame in seen], [frame.change for frame in seen]
        options = self._options
        chosen = (
            asking.contested(sightings, changes, options.fusion, options.tracking, plan.settings)
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
        self, journal: Journal, info: MediaInfo, plans: Sequence[DetectorPlan], asked: Mapping[str, asking.Asked]
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


def assembled(
    seen: Sequence[Seen], info: MediaInfo, facts: tuple[records.DetectorFacts, ...], options: DetectOptions
) -> Record:
    """The record of what was seen."""
    sightings = [frame.sightings for frame in seen]
    timeline = build(
        sightings,
        [frame.change for frame in seen],
        info.video.display,
        options.fusion,
        options.tracking,
        options.smoothing,
        {detector.name: float(str(detector.parameters.get("sure") or 0.0)) for detector in facts},
    )
    asked = asking.ranges(sightings, [one.name for one in facts])
    return Record(
        schema=SCHEMA,
        source=source_facts(info, len(seen)),
        detection=Detection(options.mode, facts, options.fusion, options.tracking, options.smoothing, asked),
        frames=tuple(
            Frame(index, frame.pts, tuple(timeline.faces[index]), tuple(timeline.doubtful[index]))
            for index, frame in enumerate(seen)
        ),
        cuts=timeline.cuts,
        damaged=tuple(index for index, frame in enumerate(seen) if frame.damaged),
    )


class _Chunks:
    """Joins what the detectors answer with the frames they were asked about, and keeps it in the journal."""

    def __init__(
        self,
        journal: Journal,
        display: Size,
        plans: Sequence[DetectorPlan],
        heard: Callable[[list[Mapping[str, Receipt]]], None],
        watcher: Watcher | None,
    ) -> None:
        self._watcher = watcher
        self._glimpses: dict[int, Glimpse] = {}
        self._journal, self._display, self._heard = journal, display, heard
        self._plans = {plan.name: plan for plan in plans}
        self._waiting: dict[int, list[tuple[int, bool, float]]] = {}
        self._places: dict[int, Mapping[str, Sequence[int]]] = {}

    def expect(
        self,
        ticket: int,
        frames: Sequence[SourceFrame],
        changes: Sequence[float],
        places: Mapping[str, Sequence[int]],
    ) -> None:
        rows = zip(frames, changes, strict=True)
        self._waiting[ticket] = [(frame.pts, frame.damaged, value) for frame, value in rows]
        self._places[ticket] = places
        # One at a time: frames are sent long before they are answered, and a newer picture would never be.
        if self._watcher is not None and not self._glimpses and self._watcher.wants_glimpse():
            self._glimpses = {ticket: Glimpse(frames[0].index, frames[0].rgb(GLIMPSE), self._display)}

    def tell_again(self) -> None:
        """Show what an earlier attempt had found."""
        if self._watcher is not None:
            self._watcher.found(0, tuple(self._journal.seen()), None)

    def keep(self, ticket: int, answers: Answers) -> None:
        rows, places = enumerate(self._waiting.pop(ticket)), self._places.pop(ticket)
        seen = tuple(Seen(pts, damaged, value, *self._told(answers, places, n)) for n, (pts, damaged, value) in rows)
        first = self._journal.frames
        self._journal.append(seen)
        if self._watcher is not None:
            self._watcher.found(first, seen, self._glimpses.pop(ticket, None))
        self._heard([frame.receipts for frame in seen if frame.receipts])

    def _told(
        self, answers: Answers, places: Mapping[str, Sequence[int]], number: int
    ) -> tuple[dict[str, tuple[tuple[Box, float], ...]], dict[str, Receipt]]:
        """Sightings and receipts of the detectors that were asked about the frame at place `number` of its chunk."""
        sightings, receipts = {}, {}
        for detector, chunk in answers.items():
            asked = places.get(detector, range(CHUNK))
            if number in asked:
                place = asked.index(number)
                sightings[detector] = on_display(self._plans[detector], chunk[place], self._display)
                if chunk.receipts:
                    receipts[detector] = chunk.receipts[place]
        return sightings, receipts


def on_display(plan: DetectorPlan, sightings: Sequence[Sighting], display: Size) -> tuple[tuple[Box, float], ...]:
    """What a detector saw at the size it looks at, in display pixels on the record's grid."""
    seen = display.fit(plan.longest_side)
    x, y = display.width / seen.width, display.height / seen.height
    boxes = ((sighting.box.stretched(x, y).rounded(display), sighting.score) for sighting in sightings)
    return tuple((box, round(score, 4)) for box, score in boxes if box is not None)


def _chunks(frames: Iterator[SourceFrame], skip: int) -> Iterator[tuple[int, list[SourceFrame], list[float]]]:
    """Chunks of frames with each frame's change from the one before; the first `skip` chunks only pass by."""
    previous = None
    for ticket in count():
        chunk = list(islice(frames, CHUNK))
        if not chunk:
            return
        if ticket < skip:
            previous = chunk[-1].luma_thumbnail() if ticket == skip - 1 else None
            continue
        changes = []
        for frame in chunk:
            thumbnail = frame.luma_thumbnail()
            changes.append(0.0 if previous is None else change(previous, thumbnail))
            previous = thumbnail
        yield ticket, chunk, changes


class Anonymised(Document, frozen=True):
    """What `anonymise` made.

    Attributes:
        output: path of the video.
        record: path of the detection record.
        report: path of the report of the checks.
        faces: faces in all frames together.
        tracks: how many different faces were followed.
    """

    output: str
    record: str
    report: str
    faces: int
    tracks: int
    render: RenderReport
    checks: VerifyReport


def anonymise(  # noqa: PLR0913 - the arguments of three verbs
    source: Path | str,
    output: Path | str,
    detection: DetectOptions | None = None,
    rendering: RenderOptions | None = None,
    *,
    record: Path | str | None = None,
    review: Path | str | None = None,
    data: Path | str | None = None,
    listener: Listener | None = None,
) -> Anonymised:
    """Detect, render and verify in one go. Nobody has approved the output, and it says so.

    Args:
        source: the video.
        output: file to write; beside it go `OUT.detections.json`, `OUT.render.json` and `OUT.checks.json`.
        detection: what to run.
        rendering: style and encoder.
        record: another place for the record.
        review: amendments of the record that an earlier detection of this source made with the same options.
        data: the data folder.
        listener: hears of progress.

    Raises:
        VeilError: as `detect`, `render` and `verify` do. A failed check is no error; it stands in the report.
    """
    output = Path(output)
    record = Path(record) if record is not None else output.with_name(output.name + ".detections.json")
    report = output.with_name(output.name + ".checks.json")
    refuse_early(source, output, rendering)
    found = detect(source, record, detection, data=data, listener=listener)
    rendered = render(source, record, output, rendering, review=review, listener=listener)
    checks = verify(source, record, output, review=review, listener=listener)
    write_file(report, records.encode(checks))
    faces = [face.track for frame in found.frames for face in frame.faces]
    return Anonymised(str(output), str(record), str(report), len(faces), len(set(faces)), rendered, checks)
