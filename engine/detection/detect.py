"""From a video to a detection record: the one place that puts the stages together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from platform import node
from time import monotonic

import msgspec

from engine.core.progress import ProgressListener, SilentListener
from engine.detection import frame_selection
from engine.detection.assemble import assemble_record
from engine.detection.batches import LazyRgbBatch, select_positions
from engine.detection.checkpoint import Checkpoint
from engine.detection.cost import CostTracker, build_ledger, ledger_path
from engine.detection.frame_detections import FrameDetections, merge_passes
from engine.detection.observer import DetectionObserver
from engine.detection.options import count_workers, plan_detectors
from engine.detection.pending_batches import BATCH_FRAMES, PendingBatches, read_batches
from engine.detectors.base import RemoteDetectorSettings
from engine.detectors.ensemble import BatchesByDetector, DetectorEnsemble
from engine.detectors.registry import DetectorPlan
from engine.media.facts import MediaInfo
from engine.media.source.image_sequence import open_any, probe_any
from engine.media.source.prefetch import prefetch
from engine.record import (
    DetectOptions,
    DetectorFacts,
    Document,
    Record,
    Sha256,
    encode_document,
    sha256_hex,
)
from engine.storage.data_folder import RUN_FACTS_SUFFIX, DataFolder, append_suffix, find_data_folder
from engine.storage.files import make_scratch_folder, write_file

_PREFETCH_FRAMES = 4
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


class _CheckpointKey(Document, frozen=True):
    """All that decides what the detectors see: names the journal."""

    source: Sha256
    detectors: tuple[DetectorFacts, ...]
    on_damage: str
    chunk: int
    asked: Sha256 | None = None


def detect(  # noqa: PLR0913 - what, where to, how, and who hears of it
    source: Path | str,
    output: Path | str | None = None,
    options: DetectOptions | None = None,
    *,
    data: Path | str | None = None,
    listener: ProgressListener | None = None,
    ensemble: DetectorEnsemble | None = None,
    observer: DetectionObserver | None = None,
) -> Record:
    """Find the faces in a video, in a photograph, or in a folder of numbered stills taken for a video.

    What is found is kept while it runs: the same call after an interruption goes on where it stopped, and ends with
    the same record.

    Args:
        source: the video, photograph or folder.
        output: file to write the record to, with the facts of the run beside it (`NAME.run.json`).
        options: what to run; on-prem detection when left out.
        data: the data folder (see `engine.storage.data_folder.find_data_folder`).
        listener: hears of progress.
        ensemble: detectors that run already, as `options` name them; they are left running.
        observer: is shown what is found.

    Raises:
        SourceError: the source is not a readable video; DamagedFrameError names a frame.
        InputError: an option is unknown, or another process is at the same work.
        ModelError: weights are missing or not the pinned ones.
        DetectorError: a detector's process died, hung or failed.
        TargetError: the record cannot be written.
    """
    options, listener = options or DetectOptions(), listener or SilentListener()
    run = _DetectionRun(Path(source), options, find_data_folder(data), listener, ensemble, observer)
    return run.detect_into(Path(output) if output else None)


class _DetectionRun:
    """One call of `detect`."""

    def __init__(  # noqa: PLR0913, PLR0917 - as `detect`
        self,
        source: Path,
        options: DetectOptions,
        data: DataFolder,
        listener: ProgressListener,
        ensemble: DetectorEnsemble | None,
        observer: DetectionObserver | None,
    ) -> None:
        self._observer = observer
        self._source, self._options, self._data, self._listener, self._ensemble = (
            source,
            options,
            data,
            listener,
            ensemble,
        )
        self._plans = plan_detectors(options)
        self._worker_count = count_workers(options, self._plans)
        self._started, self._started_clock_s = datetime.now(UTC), monotonic()
        self._cost_tracker = CostTracker(self._plans, options.max_cost, listener)

    def detect_into(self, output: Path | None) -> Record:
        if output is not None:
            with make_scratch_folder(output):  # an output that cannot be written is said before the work, not after it
                pass
        info = probe_any(self._source, listener=self._listener)
        with ExitStack() as journals:
            journal, *others = self._run_passes(info, journals, output)
            resumed = self._resumed_frames
            seen = merge_passes([tuple(one.read_frames()) for one in (journal, *others)])
            record = assemble_record(seen, info, tuple(plan.facts for plan in self._plans), self._options)
            self._cost_tracker.announce_total()
            if output is not None:
                self._write_results(record, output, resumed, seen)
            for one in (journal, *others):
                one.discard()
        return record

    def _run_passes(self, info: MediaInfo, open_checkpoints: ExitStack, output: Path | None) -> list[Checkpoint]:
        """A full journal for each pass over the video; the second asks about what the first left contested."""
        full: list[Checkpoint] = []
        contested: frozenset[int] | None = None
        frames = info.video.packets
        for running in frame_selection.detection_passes(self._plans):
            if full:
                contested, frames = self._find_uncertain_frames(full[0], running), full[0].frame_count
            facts = tuple(plan.facts for plan in (*running, *(self._plans if full else ())))
            which = None if contested is None else sha256_hex(msgspec.json.encode(sorted(contested)))
            subject = _CheckpointKey(info.sha256, facts, self._options.on_damage, BATCH_FRAMES, which)
            journal = open_checkpoints.enter_context(Checkpoint(self._data.checkpoints, subject))
            self._resumed_frames = journal.frame_count
            self._cost_tracker.count_earlier_attempt(journal.read_frames())
            self._cost_tracker.announce_cost(frames, contested)
            full.append(journal)
            with self._write_ledger_on_failure(full, output):
                which_frames = frame_selection.frame_predicates(running, contested or frozenset())
                self._fill_checkpoint(journal, info, self._cost_tracker.limit_calls(running), which_frames)
        return full

    def _find_uncertain_frames(self, checkpoint: Checkpoint, plans: Sequence[DetectorPlan]) -> frozenset[int]:
        seen = tuple(checkpoint.read_frames())
        chosen = (
            frame_selection.uncertain_frames(seen, self._options, plan.settings)
            for plan in plans
            if isinstance(plan.settings, RemoteDetectorSettings)
        )
        return frozenset(index for some in chosen for index in some if not seen[index].damaged)

    @contextmanager
    def _write_ledger_on_failure(self, checkpoints: Sequence[Checkpoint], output: Path | None) -> Iterator[None]:
        """Leave a ledger of what left the machine when the block fails."""
        try:
            yield
        except BaseException:
            sent = build_ledger(
                merge_passes([tuple(journal.read_frames()) for journal in checkpoints]), self._plans, None
            )
            if output is not None and sent.frames:
                write_file(ledger_path(output), encode_document(sent))
            raise

    def _fill_checkpoint(
        self,
        checkpoint: Checkpoint,
        info: MediaInfo,
        plans: Sequence[DetectorPlan],
        predicates: Mapping[str, frame_selection.FramePredicate],
    ) -> None:
        """Bring the journal to the end of the video."""
        with (
            open_any(self._source, info, on_damage=self._options.on_damage) as source,
            prefetch(source.frames(), _PREFETCH_FRAMES) as frames_ahead,
            nullcontext(self._ensemble)
            if self._ensemble
            else DetectorEnsemble(plans, self._data.models, self._worker_count) as crew,
        ):
            crew.set_first_ticket(checkpoint.batch_count)
            self._listener.progress("detect", checkpoint.frame_count, info.video.packets)
            chunks = PendingBatches(
                checkpoint, info.video.display, plans, self._cost_tracker.record_receipts, self._observer
            )
            chunks.replay_to_observer()
            for ticket, frames, changes in read_batches(frames_ahead, skip_batches=checkpoint.batch_count):
                pictures = {side: LazyRgbBatch(frames, side) for side in crew.input_sides}
                places = {name: select_positions(frames, which) for name, which in predicates.items()}
                crew.submit(ticket, pictures, f"frames {frames[0].index} to {frames[-1].index}", places)
                chunks.add_batch(ticket, frames, changes, places)
                self._store_finished(chunks, crew.take_finished(), checkpoint, info)
            self._store_finished(chunks, crew.drain(), checkpoint, info)

    def _store_finished(
        self,
        batches: PendingBatches,
        finished: Iterator[tuple[int, BatchesByDetector]],
        checkpoint: Checkpoint,
        info: MediaInfo,
    ) -> None:
        for ticket, answers in finished:
            batches.store_answers(ticket, answers)
            self._listener.progress("detect", checkpoint.frame_count, info.video.packets)

    def _write_results(
        self, record: Record, output: Path, resumed_frames: int, frame_detections: Sequence[FrameDetections]
    ) -> None:
        data = encode_document(record)
        if any(isinstance(plan.settings, RemoteDetectorSettings) for plan in self._plans):
            sent = build_ledger(frame_detections, self._plans, sha256_hex(data))
            write_file(ledger_path(output), encode_document(sent))
        run = RunFacts(
            record_sha256=sha256_hex(data),
            host=node(),
            started=self._started.isoformat(timespec="seconds"),
            seconds=round(monotonic() - self._started_clock_s, 3),
            frames=len(record.frames),
            resumed_frames=resumed_frames,
            workers=self._worker_count,
        )
        write_file(append_suffix(output, RUN_FACTS_SUFFIX), encode_document(run))
        write_file(output, data)
