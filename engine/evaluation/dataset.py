"""Detect the faces in every file of a ground-truth table, with one detector ensemble for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from engine.core.file_types import STILL_SUFFIXES
from engine.core.progress import ProgressListener, SilentListener
from engine.detection.assemble import assemble_record
from engine.detection.detect import detect
from engine.detection.frame_detections import FrameDetections
from engine.detection.options import adapt_to_single_picture, detector_ensemble, plan_detectors
from engine.detectors.ensemble import BatchesByDetector, DetectorEnsemble
from engine.detectors.scale import scale_to_display
from engine.errors import InputError
from engine.evaluation.ground_truth import Clip, Truth
from engine.evaluation.pairing import locate_file
from engine.media.facts import MediaInfo
from engine.media.source.decode import open_source
from engine.media.source.image_sequence import list_stills
from engine.media.source.probe import probe
from engine.record import DetectOptions, Record
from engine.storage.data_folder import find_data_folder


def detect_dataset(
    truth: Truth,
    table_path: Path,
    options: DetectOptions | None = None,
    *,
    data: Path | str | None = None,
    listener: ProgressListener | None = None,
) -> dict[str, Record]:
    """Detect the faces in the files of a table; return the records by name of the clip, as `evaluate` takes them.

    Photographs are detected one by one, so that one has no effect on another. Videos and folders of stills are detected
    as `detect` does it.

    Args:
        truth: The table.
        table_path: Its path. Files are looked for from there.
        options: Options of the detection; on-prem detection if left out.
        data: The data folder.
        listener: Receives the progress.

    Raises:
        VeilError: As `detect`; InputError if a file cannot be found, or the stills of a sequence are not numbered as
            in the table.
    """
    options, listener = options or DetectOptions(), listener or SilentListener()
    places = {clip.name: _locate_clip(clip, truth, table_path) for clip in truth.clips}
    photographs = {
        name: place for name, place in places.items() if place.suffix.lower() in STILL_SUFFIXES and place.is_file()
    }
    records: dict[str, Record] = {}
    folder = find_data_folder(data)
    # Loading the models takes seconds, so one ensemble serves all photographs, and one all others.
    if photographs:
        adapted = adapt_to_single_picture(options)
        with detector_ensemble(adapted, folder) as ensemble:
            records.update(_detect_photographs(photographs, adapted, ensemble, listener))
    if others := {name: place for name, place in places.items() if name not in photographs}:
        with detector_ensemble(options, folder) as ensemble:
            for name, place in others.items():
                records[name] = detect(place, options=options, data=data, listener=listener, ensemble=ensemble)
    return records


def _locate_clip(clip: Clip, truth: Truth, table_path: Path) -> Path:
    place = locate_file(clip.name, table_path)
    if place is None:
        raise InputError(
            f"{truth.name} names {clip.name}, which is not in the folder of the table or the one above; put it there."
        )
    if clip.sequence:
        _check_still_numbers(clip, list_stills(place), truth)
    return place


def _check_still_numbers(clip: Clip, stills: Sequence[Path], truth: Truth) -> None:
    for frame in clip.frames:
        name = PurePosixPath(frame.file).name
        there = stills[frame.number].name if frame.number < len(stills) else "missing"
        if there != name:
            raise InputError(
                f"{truth.name} calls {frame.file} frame {frame.number}, but that still of the folder is {there}; "
                "number the stills from 0 in the order of the numbers in their names."
            )


def _detect_photographs(
    paths: Mapping[str, Path], options: DetectOptions, ensemble: DetectorEnsemble, listener: ProgressListener
) -> Iterator[tuple[str, Record]]:
    """Yield the record of each photograph with its name, in order."""
    pending_photographs = _PendingPhotographs(options)
    ensemble.set_first_ticket(0)
    for ticket, (name, place) in enumerate(paths.items()):
        info = probe(place)
        with open_source(place, info, on_damage=options.on_damage) as source:
            (frame, *_) = source.frames()
        pending_photographs.add_photograph(ticket, name, info, damaged=frame.damaged)
        ensemble.submit(ticket, {side: [frame.rgb(side)] for side in ensemble.input_sides}, str(place))
        yield from pending_photographs.build_records(ensemble.take_finished())
        listener.progress("detect", ticket + 1, len(paths))
    yield from pending_photographs.build_records(ensemble.drain())


class _PendingPhotographs:
    """Matches the answers of the ensemble with the photographs they are about."""

    def __init__(self, options: DetectOptions) -> None:
        self._options = options
        self._plans = {plan.name: plan for plan in plan_detectors(options)}
        self._facts = tuple(plan.facts for plan in self._plans.values())
        self._pending: dict[int, tuple[str, MediaInfo, bool]] = {}

    def add_photograph(self, ticket: int, name: str, info: MediaInfo, *, damaged: bool) -> None:
        """Note that the answer with the number `ticket` will be about the photograph `name`."""
        self._pending[ticket] = name, info, damaged

    def build_records(self, finished: Iterator[tuple[int, BatchesByDetector]]) -> Iterator[tuple[str, Record]]:
        """Build the records of the photographs that were answered."""
        for ticket, answers in finished:
            name, info, damaged = self._pending.pop(ticket)
            display = info.video.display
            by_detector = {
                detector: scale_to_display(batch.detections[0], self._plans[detector].longest_side, display)
                for detector, batch in answers.items()
            }
            frame = FrameDetections(info.video.first_pts, damaged, 0.0, by_detector)
            yield name, assemble_record([frame], info, self._facts, self._options)
