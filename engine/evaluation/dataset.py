"""Detection on every file that a table of ground truth names, with one crew of detectors for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from engine.core.picture import STILLS
from engine.core.progress import Listener, Silent
from engine.detection.assemble import assembled, on_display
from engine.detection.checkpoint import Seen
from engine.detection.detect import detect
from engine.detection.options import DetectOptions, hired, plans
from engine.detectors.ensemble import Answers, Crew
from engine.errors import InputError
from engine.evaluation.ground_truth import Clip, Truth
from engine.evaluation.pairing import locate
from engine.media.facts import MediaInfo
from engine.media.source.decode import open_source
from engine.media.source.image_sequence import files
from engine.media.source.probe import probe
from engine.record import Record
from engine.storage.files import data_folder


def survey(
    truth: Truth,
    table: Path,
    options: DetectOptions | None = None,
    *,
    data: Path | str | None = None,
    listener: Listener | None = None,
) -> dict[str, Record]:
    """Find the faces in the files of a table; records by name of the clip, as `engine.evaluation.summary` takes them.

    Photographs are looked at one by one: nothing of one bears on another. Videos and folders of stills are detected as
    `detect` does it.

    Args:
        truth: the table.
        table: its path, from where files are looked for.
        options: what to run; on-prem detection when left out.
        data: the data folder.
        listener: hears of progress.

    Raises:
        VeilError: as `detect` does, and InputError for a file that cannot be found, or a sequence whose stills are not
            numbered as the table numbers them.
    """
    options, listener = options or DetectOptions(), listener or Silent()
    places = {clip.name: _place(clip, truth, table) for clip in truth.clips}
    photographs = {name: place for name, place in places.items() if place.suffix.lower() in STILLS and place.is_file()}
    records: dict[str, Record] = {}
    with hired(options, data_folder(data)) as crew:
        records.update(_photographs(photographs, options, crew, listener))
        for name, place in places.items():
            if name not in photographs:
                records[name] = detect(place, options=options, data=data, listener=listener, crew=crew)
    return records


def _place(clip: Clip, truth: Truth, table: Path) -> Path:
    place = locate(clip.name, table)
    if place is None:
        raise InputError(
            f"{truth.name} names {clip.name}, which is neither beside the table nor above it; put it there."
        )
    if clip.sequence:
        _check_numbers(clip, files(place), truth)
    return place


def _check_numbers(clip: Clip, stills: Sequence[Path], truth: Truth) -> None:
    for frame in clip.frames:
        name = PurePosixPath(frame.file).name
        there = stills[frame.number].name if frame.number < len(stills) else "missing"
        if there != name:
            raise InputError(
                f"{truth.name} calls {frame.file} frame {frame.number}, but that still of the folder is {there}; "
                "number the stills from 0 in the order of the numbers in their names."
            )


def _photographs(
    places: Mapping[str, Path], options: DetectOptions, crew: Crew, listener: Listener
) -> Iterator[tuple[str, Record]]:
    """The record of each photograph by its name, in order."""
    desk = _Desk(options)
    crew.start_at(0)
    for ticket, (name, place) in enumerate(places.items()):
        info = probe(place)
        with open_source(place, info, on_damage=options.on_damage) as source:
            (frame, *_) = source.frames()
        desk.expect(ticket, name, info, damaged=frame.damaged)
        crew.submit(ticket, {side: [frame.rgb(side)] for side in crew.sides}, str(place))
        yield from desk.records(crew.finished())
        listener.progress("detect", ticket + 1, len(places))
    yield from desk.records(crew.rest())


class _Desk:
    """Joins what the crew answers with the photograph it was asked about."""

    def __init__(self, options: DetectOptions) -> None:
        self._options = options
        self._plans = {plan.name: plan for plan in plans(options)}
        self._facts = tuple(plan.facts for plan in self._plans.values())
        self._waiting: dict[int, tuple[str, MediaInfo, bool]] = {}

    def expect(self, ticket: int, name: str, info: MediaInfo, *, damaged: bool) -> None:
        """An answer with the number `ticket` is to be of the photograph called `name`."""
        self._waiting[ticket] = name, info, damaged

    def records(self, finished: Iterator[tuple[int, Answers]]) -> Iterator[tuple[str, Record]]:
        """The records of what was answered."""
        for ticket, answers in finished:
            name, info, damaged = self._waiting.pop(ticket)
            display = info.video.display
            sightings = {
                detector: on_display(self._plans[detector], seen, display) for detector, (seen,) in answers.items()
            }
            seen = Seen(info.video.first_pts, damaged=damaged, change=0.0, sightings=sightings)
            yield name, assembled([seen], info, self._facts, self._options)
