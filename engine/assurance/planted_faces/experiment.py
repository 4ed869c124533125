"""The planted-face challenge: how many faces, put into this very clip, does the detection that was used find?

The agreement of detectors is no recall: they share blind spots. Here it is known where the faces are. Each sampled
segment of the video is copied in memory, faces are planted in places that are free, and the detectors of the record
look at the copies with the record's settings. What is planted is a cut-out: it tells how well faces of these sizes and
this look are found in this picture, not how well those are that no detector ever sees. See docs/leaks.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2
import msgspec
import numpy as np

from engine.assurance.leak_check.check_detectors import Hire
from engine.assurance.planted_faces.compositing import (
    LEAST_HEIGHT,
    Course,
    Donor,
    Guise,
    Origin,
    borders_of,
    cast,
    course,
    donor_of,
    donor_places,
    guise,
    heights_of,
    planted,
    segments,
    speed_of,
)
from engine.assurance.planted_faces.donor_faces import donors_for
from engine.core.face_sizes import SIZES
from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.core.progress import Listener, Silent
from engine.detection.assemble import on_display
from engine.detectors.base import RemoteSettings, Sighting
from engine.detectors.ensemble import Answers, Crew
from engine.detectors.registry import DetectorPlan, detector_class, plan
from engine.errors import InputError, RecordError
from engine.media.facts import MediaInfo
from engine.media.source.decode import OnDamage, open_source
from engine.media.source.probe import probe
from engine.record import Count, Document, Record, Score, Sha256, digest
from engine.review.load import load_record
from engine.statistics.binomial import Interval, clopper_pearson, wilson
from engine.storage.files import data_folder
from engine.timeline.build import build
from engine.version import VERSION

SCHEMA: Literal["veil/planted/1"] = "veil/planted/1"

_MOST_DONORS = 8
_TRIES = 40
"""How often a free place is drawn for a face before it is given up."""
_SMALLER = (1.0, 0.7, 0.5, 0.3)
"""Shares of the height that was drawn, tried one after the other."""
_APART = 1.4
"""Sides about which faces are kept apart, in sides of their boxes."""
_FOUND = 0.35
"""IoU, as in docs/recall.md, from which a planted face was found."""

Number = Annotated[int, msgspec.Meta(ge=1)]


class PlantSettings(Document, frozen=True):
    """How much is planted.

    Attributes:
        segments: stretches of the video that are copied.
        length: of each, in frames.
        faces: planted in each.
        share: of the video's frames that the segments are at most, so that the cost is bounded; one segment always is.
        confidence: of the intervals.
    """

    segments: Number = 12
    length: Annotated[int, msgspec.Meta(ge=2)] = 16
    faces: Number = 3
    share: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.1
    confidence: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.95


class Plant(Document, frozen=True):
    """One planted face.

    Attributes:
        first: frame in which it first is.
        origin: a face of the clip itself, or the picture of a package.
        guise: what was done to it.
        frames: in how many it is.
        found: in how many of them a face of the timeline overlaps it.
    """

    first: Count
    origin: Origin
    guise: Guise
    frames: Count
    found: Count


class PlantedRecall(Document, frozen=True):
    """Recall on the planted faces.

    Attributes:
        plants: faces that were planted, each through one segment.
        throughout: those found in every one of their frames, with the exact interval (Clopper-Pearson) of their share.
        frames: of all plants together.
        found: those in which the plant was found.
        recall: found / frames; None of nothing.
        recall_interval: Wilson's, taking a plant, not a frame, for one trial: frames of one plant are alike.
    """

    plants: Count
    throughout: Count
    throughout_interval: Interval | None
    frames: Count
    found: Count
    recall: Score | None
    recall_interval: Interval | None


class PlantedReport(Document, frozen=True):
    """The outcome of the challenge.

    Attributes:
        seed: all that was drawn by lot follows from it, and it from the source.
        segments: as half-open ranges of frames.
        share: of the video's frames that were detected again.
        left_out: faces for which no free place was found.
        by_size: for each of `engine.evaluation.scores.SIZES`, by the height of the plant.
    """

    schema: Literal["veil/planted/1"]
    veil: str
    source_sha256: Sha256
    record_sha256: Sha256
    seed: str
    settings: PlantSettings
    segments: tuple[tuple[Count, Count], ...]
    share: Score
    left_out: Count
    plants: tuple[Plant, ...]
    overall: PlantedRecall
    by_size: Mapping[str, PlantedRecall]


def plant(  # noqa: PLR0913 - what, how much, who looks, and who hears of it
    source: Path | str,
    record: Path | str | Record,
    *,
    settings: PlantSettings | None = None,
    data: Path | str | None = None,
    listener: Listener | None = None,
    hire: Hire = Crew,
) -> PlantedReport:
    """Plant faces into copies of segments of a video, and see how many of them the record's detection finds.

    No picture is kept. The same source, record and settings give the same report.

    Args:
        source: the video.
        record: its detection record, or the path of it; its detectors and settings run again.
        settings: how much is planted.
        data: the data folder.
        listener: hears of progress.
        hire: starts the detectors.

    Raises:
        RecordError: the record is invalid, or of another video.
        SourceError: the source is unreadable.
        InputError: the detection cannot be repeated, see `obstacle`.
        ModelError: weights are missing or not the pinned ones.
        DetectorError: a detector's process died, hung or failed.
    """
    document, sha256 = load_record(record)
    info = probe(source)
    if info.sha256 != document.source.sha256:
        raise RecordError(f"The record is of another video than {source}; give its own, or detect this one.")
    challenge = _Challenge(Path(source), info, document, settings or PlantSettings())
    plans = plans_of(document)
    models = data_folder(data).models
    with hire(plans, models, 1) as crew:
        donors = donors_for(challenge.donors(), document, hire, models)
        plants = tuple(challenge.plants(donors, plans, crew, listener or Silent()))
    return challenge.report(sha256, plants)


def obstacle(record: Record) -> str | None:
    """Why faces cannot be planted for the detection of a record, in a sentence; None when they can."""
    for facts in record.detection.detectors:
        if issubclass(detector_class(facts.name).settings_type, RemoteSettings):
            return f"{facts.name} asks a service: faces are not planted, as each look would be sent and paid for."
        if facts.parameters.get("weights") is not None:
            return f"{facts.name} ran with weights of your own, which the record does not say where to find."
    return None


def plans_of(record: Record) -> list[DetectorPlan]:
    """The detectors of a record, with its parameters.

    Raises:
        InputError: the detection cannot be repeated, see `obstacle`.
    """
    if why := obstacle(record):
        raise InputError(why)
    return [plan(facts.name, facts.parameters) for facts in record.detection.detectors]


@dataclass(frozen=True, slots=True)
class _Sown:
    """A face on its way through a segment."""

    donor: Donor
    look: Guise
    course: Course
    segment: range
    seed: int

    def box(self, index: int) -> Box:
        return self.course.at(index - self.segment.start)


class _Challenge:
    """One run of the challenge."""

    def __init__(self, source: Path, info: MediaInfo, record: Record, settings: PlantSettings) -> None:
        self._source, self._info, self._record, self._settings = source, info, record, settings
        self._size = record.display
        self._seed = digest(f"{SCHEMA} {record.source.sha256}".encode())
        self._lot = np.random.default_rng(int(self._seed[:16], 16))
        self._segments = tuple(segments(len(record.frames), record.cuts, settings.length, self._number(), self._lot))
        self._left_out = 0

    def plants(
        self, donors: Sequence[Donor], plans: Sequence[DetectorPlan], crew: Crew, listener: Listener
    ) -> Iterator[Plant]:
        """What became of every face that was planted."""
        sown = self._sown(donors)
        sightings = self._detected(sown, plans, crew, listener)
        for segment in self._segments:
            faces = self._timeline([sightings[index] for index in segment])
            for one in sown[segment.start]:
                boxes = [
                    (one.box(index).clipped(self._size), found) for index, found in zip(segment, faces, strict=True)
                ]
                there = [(box, found) for box, found in boxes if box is not None]
                found = sum(any(box.iou(face) >= _FOUND for face in found) for box, found in there)
                yield Plant(segment.start, one.donor.origin, one.look, len(there), found)

    def report(self, record_sha256: str, plants: tuple[Plant, ...]) -> PlantedReport:
        classes = {
            name: [one for one in plants if least <= one.guise.height < limit] for name, (least, limit) in SIZES.items()
        }
        confidence = self._settings.confidence
        return PlantedReport(
            schema=SCHEMA,
            veil=VERSION,
            source_sha256=self._record.source.sha256,
            record_sha256=record_sha256,
            seed=self._seed,
            settings=self._settings,
            segments=tuple((segment.start, segment.stop) for segment in self._segments),
            share=round(sum(map(len, self._segments)) / len(self._record.frames), 4),
            left_out=self._left_out,
            plants=plants,
            overall=_recall(plants, confidence),
            by_size={name: _recall(some, confidence) for name, some in classes.items()},
        )

    def _number(self) -> int:
        most = int(self._settings.share * len(self._record.frames) / self._settings.length)
        return max(1, min(self._settings.segments, most))

    def donors(self) -> list[Donor]:
        """Faces of the clip that every detector of the record saw well."""
        wanted = defaultdict(list)
        for index, face in donor_places(self._record, _MOST_DONORS):
            wanted[index].append(face)
        return [donor_of(picture, face) for index, picture in self._pictures(wanted) for face in wanted[index]]

    def _pictures(self, wanted: Mapping[int, object]) -> Iterator[tuple[int, Rgb]]:
        """Some frames of the source as they are seen, at full size."""
        if not wanted:
            return
        on_damage: OnDamage = "cover" if self._record.damaged else "stop"
        last = max(wanted)
        with open_source(self._source, self._info, on_damage=on_damage) as source:
            for frame in source.frames():
                if frame.index in wanted:
                    yield frame.index, frame.rgb(None)
                if frame.index >= last:
                    return

    def _sown(self, donors: Sequence[Donor]) -> dict[int, list[_Sown]]:
        """By first frame of each segment, the faces that are planted in it."""
        heights, speed, borders = heights_of(self._record), speed_of(self._record), borders_of(self._record)
        sown: dict[int, list[_Sown]] = {segment.start: [] for segment in self._segments}
        for segment in self._segments:
            taken = [face.box.scaled(_APART) for index in segment for face in self._record.frames[index].faces]
            for _ in range(self._settings.faces if donors else 0):
                look = guise(heights, self._size, borders, self._lot)
                donor, look = cast(donors, look, self._lot)
                one = self._placed(donor, look, segment, speed, taken)
                if one is None:
                    self._left_out += 1
                    continue
                taken += [one.box(index).scaled(_APART) for index in segment]
                sown[segment.start].append(one)
        return sown

    def _placed(self, donor: Donor, look: Guise, segment: range, speed: float, taken: Sequence[Box]) -> _Sown | None:
        """A face on its way, smaller where there is no room for it as it was drawn; None where there is none at all."""
        for smaller in _SMALLER:
            fit = msgspec.structs.replace(look, height=round(max(look.height * smaller, LEAST_HEIGHT), 2))
            way = self._way(donor, fit, segment, speed, taken)
            if way is not None:
                return _Sown(donor, fit, way, segment, int(self._lot.integers(2**32)))
        return None

    def _way(self, donor: Donor, look: Guise, segment: range, speed: float, taken: Sequence[Box]) -> Course | None:
        """A way that keeps clear of all other faces; None when none was drawn."""
        shape = donor.face.width / donor.face.height
        for _ in range(_TRIES):
            way = course(look, shape, self._size, speed, self._lot)
            boxes = [way.at(place) for place in range(len(segment))]
            inside = all((part := box.clipped(self._size)) is not None and part.area > box.area / 2 for box in boxes)
            if inside and not any(box.overlap(other) for box in boxes for other in taken):
                return way
        return None

    def _detected(
        self, sown: Mapping[int, Sequence[_Sown]], plans: Sequence[DetectorPlan], crew: Crew, listener: Listener
    ) -> dict[int, Mapping[str, Sequence[tuple[Box, float]]]]:
        """By frame, what the detectors see in the copies."""
        starts = {index: segment.start for segment in self._segments for index in segment}
        seen: dict[int, Mapping[str, Sequence[tuple[Box, float]]]] = {}
        order = sorted(starts)
        crew.start_at(0)
        for ticket, (index, picture) in enumerate(self._pictures(starts)):
            copy = picture.copy()
            for one in sown[starts[index]]:
                planted(copy, one.donor, one.look, one.box(index), one.seed + index)
            crew.submit(
                ticket, {side: [_sized(copy, side)] for side in crew.sides}, f"frame {index} with planted faces"
            )
            self._note(crew.finished(), order, plans, seen)
            listener.progress("plant", ticket + 1, len(starts))
        self._note(crew.rest(), order, plans, seen)
        return seen

    def _note(
        self,
        answers: Iterator[tuple[int, Answers]],
        order: Sequence[int],
        plans: Sequence[DetectorPlan],
        seen: dict[int, Mapping[str, Sequence[tuple[Box, float]]]],
    ) -> None:
        for ticket, answer in answers:
            sightings: Mapping[str, Sequence[Sighting]] = {one.name: answer[one.name][0] for one in plans}
            seen[order[ticket]] = {one.name: on_display(one, sightings[one.name], self._size) for one in plans}

    def _timeline(self, seen: Sequence[Mapping[str, Sequence[tuple[Box, float]]]]) -> list[list[Box]]:
        """The faces that the record would have in each frame of a segment."""
        detection = self._record.detection
        sure = {one.name: float(str(one.parameters.get("sure") or 0.0)) for one in detection.detectors}
        timeline = build(
            seen, [0.0] * len(seen), self._size, detection.fusion, detection.tracking, detection.smoothing, sure
        )
        return [[face.box for face in faces] for faces in timeline.faces]


def _recall(plants: Sequence[Plant], confidence: float) -> PlantedRecall:
    frames, found = sum(one.frames for one in plants), sum(one.found for one in plants)
    throughout = sum(one.found == one.frames for one in plants)
    recall = found / frames if frames else None
    return PlantedRecall(
        plants=len(plants),
        throughout=throughout,
        throughout_interval=clopper_pearson(throughout, len(plants), confidence),
        frames=frames,
        found=found,
        recall=recall,
        recall_interval=None if recall is None else wilson(recall, len(plants), confidence),
    )


def _sized(picture: Rgb, side: int | None) -> Rgb:
    size = Size(picture.shape[1], picture.shape[0])
    wanted = size.fit(side)
    if wanted == size:
        return picture
    return np.asarray(cv2.resize(picture, (wanted.width, wanted.height), interpolation=cv2.INTER_AREA), np.uint8)
