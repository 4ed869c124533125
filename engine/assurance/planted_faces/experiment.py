"""The planted-face challenge: how many faces, put into this very clip, does the detection that was used find?

The agreement of detectors is no recall: they share blind spots. Here it is known where the faces are. Each sampled
segment of the video is copied in memory, faces are planted in places that are free, and the detectors of the record
look at the copies with the record's settings. What is planted is a cut-out: it tells how well faces of these sizes and
this look are found in this picture, not how well those are that no detector ever sees. See docs/guides/leak-check.md.
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

from engine.assurance.leak_check.check_detectors import StartDetectors
from engine.assurance.planted_faces.compositing import (
    MIN_FACE_HEIGHT_PX,
    Appearance,
    DonorFace,
    DonorOrigin,
    FacePath,
    collect_face_heights,
    composite_face,
    cut_donor_face,
    draw_appearance,
    draw_donor_face,
    draw_path,
    draw_segments,
    find_donor_faces,
    measure_border_share,
    measure_face_speed,
)
from engine.assurance.planted_faces.donor_faces import select_donor_faces
from engine.core.face_sizes import SIZE_CLASSES
from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.core.progress import ProgressListener, SilentListener
from engine.detection.assemble import scale_to_display
from engine.detectors.base import Detection, RemoteDetectorSettings
from engine.detectors.ensemble import BatchesByDetector, DetectorEnsemble
from engine.detectors.registry import DetectorPlan, import_detector_class, plan_detector
from engine.errors import InputError, RecordError
from engine.media.facts import MediaInfo
from engine.media.source.decode import OnDamage, open_source
from engine.media.source.probe import probe
from engine.record import Count, Document, Record, Score, Sha256, sha256_hex
from engine.review.load import load_record
from engine.statistics.binomial import Interval, clopper_pearson_interval, wilson_interval
from engine.storage.files import find_data_folder
from engine.timeline.build import build_timeline
from engine.version import VERSION

SCHEMA: Literal["veil/planted/1"] = "veil/planted/1"

_MAX_DONORS = 8
_MAX_PATH_TRIES = 40
"""How often a free place is drawn for a face before it is given up."""
_HEIGHT_SHARES = (1.0, 0.7, 0.5, 0.3)
"""Shares of the height that was drawn, tried one after the other."""
_CLEARANCE_SCALE = 1.4
"""Sides about which faces are kept apart, in sides of their boxes."""
_FOUND_IOU = 0.35
"""IoU, as in docs/measurements/recall.md, from which a planted face was found."""

PositiveCount = Annotated[int, msgspec.Meta(ge=1)]


class PlantedFaceSettings(Document, frozen=True):
    """How much is planted.

    Attributes:
        segments: stretches of the video that are copied.
        length: of each, in frames.
        faces: planted in each.
        share: of the video's frames that the segments are at most, so that the cost is bounded; one segment always is.
        confidence: of the intervals.
    """

    segments: PositiveCount = 12
    length: Annotated[int, msgspec.Meta(ge=2)] = 16
    faces: PositiveCount = 3
    share: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.1
    confidence: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.95


class PlantedFace(Document, frozen=True):
    """One planted face.

    Attributes:
        first: frame in which it first is.
        origin: a face of the clip itself, or the picture of a package.
        guise: what was done to it.
        frames: in how many it is.
        found: in how many of them a face of the timeline overlaps it.
    """

    first: Count
    origin: DonorOrigin
    guise: Appearance
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


class PlantedFaceReport(Document, frozen=True):
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
    settings: PlantedFaceSettings
    segments: tuple[tuple[Count, Count], ...]
    share: Score
    left_out: Count
    plants: tuple[PlantedFace, ...]
    overall: PlantedRecall
    by_size: Mapping[str, PlantedRecall]


def run_planted_faces(  # noqa: PLR0913 - what, how much, who looks, and who hears of it
    source: Path | str,
    record: Path | str | Record,
    *,
    settings: PlantedFaceSettings | None = None,
    data: Path | str | None = None,
    listener: ProgressListener | None = None,
    start_detectors: StartDetectors = DetectorEnsemble,
) -> PlantedFaceReport:
    """Plant faces into copies of segments of a video, and see how many of them the record's detection finds.

    No picture is kept. The same source, record and settings give the same report.

    Args:
        source: the video.
        record: its detection record, or the path of it; its detectors and settings run again.
        settings: how much is planted.
        data: the data folder.
        listener: hears of progress.
        start_detectors: starts the detectors.

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
    challenge = _Experiment(Path(source), info, document, settings or PlantedFaceSettings())
    plans = plans_from_record(document)
    models = find_data_folder(data).models
    with start_detectors(plans, models, 1) as crew:
        donors = select_donor_faces(challenge.cut_donor_faces(), document, start_detectors, models)
        plants = tuple(challenge.run(donors, plans, crew, listener or SilentListener()))
    return challenge.build_report(sha256, plants)


def find_planting_obstacle(record: Record) -> str | None:
    """Why faces cannot be planted for the detection of a record, in a sentence; None when they can."""
    for facts in record.detection.detectors:
        if issubclass(import_detector_class(facts.name).settings_type, RemoteDetectorSettings):
            return f"{facts.name} asks a service: faces are not planted, as each look would be sent and paid for."
        if facts.parameters.get("weights") is not None:
            return f"{facts.name} ran with weights of your own, which the record does not say where to find."
    return None


def plans_from_record(record: Record) -> list[DetectorPlan]:
    """The detectors of a record, with its parameters.

    Raises:
        InputError: the detection cannot be repeated, see `obstacle`.
    """
    if why := find_planting_obstacle(record):
        raise InputError(why)
    return [plan_detector(facts.name, facts.parameters) for facts in record.detection.detectors]


@dataclass(frozen=True, slots=True)
class _PlacedFace:
    """A face on its way through a segment."""

    donor: DonorFace
    appearance: Appearance
    path: FacePath
    segment: range
    noise_seed: int

    def locate(self, frame_index: int) -> Box:
        return self.path.locate(frame_index - self.segment.start)


class _Experiment:
    """One run of the challenge."""

    def __init__(self, source: Path, info: MediaInfo, record: Record, settings: PlantedFaceSettings) -> None:
        self._source, self._info, self._record, self._settings = source, info, record, settings
        self._frame_size = record.display
        self._seed = sha256_hex(f"{SCHEMA} {record.source.sha256}".encode())
        self._generator = np.random.default_rng(int(self._seed[:16], 16))
        self._segments = tuple(
            draw_segments(
                len(record.frames), record.cuts, settings.length, self._choose_segment_count(), self._generator
            )
        )
        self._left_out_count = 0

    def run(
        self,
        donors: Sequence[DonorFace],
        plans: Sequence[DetectorPlan],
        ensemble: DetectorEnsemble,
        listener: ProgressListener,
    ) -> Iterator[PlantedFace]:
        """What became of every face that was planted."""
        sown = self._place_faces(donors)
        sightings = self._detect_planted_faces(sown, plans, ensemble, listener)
        for segment in self._segments:
            faces = self._build_timeline([sightings[index] for index in segment])
            for one in sown[segment.start]:
                boxes = [
                    (one.locate(index).clip(self._frame_size), found)
                    for index, found in zip(segment, faces, strict=True)
                ]
                there = [(box, found) for box, found in boxes if box is not None]
                found = sum(any(box.iou(face) >= _FOUND_IOU for face in found) for box, found in there)
                yield PlantedFace(segment.start, one.donor.origin, one.appearance, len(there), found)

    def build_report(self, record_sha256: str, plants: tuple[PlantedFace, ...]) -> PlantedFaceReport:
        classes = {
            name: [one for one in plants if least <= one.guise.height < limit]
            for name, (least, limit) in SIZE_CLASSES.items()
        }
        confidence = self._settings.confidence
        return PlantedFaceReport(
            schema=SCHEMA,
            veil=VERSION,
            source_sha256=self._record.source.sha256,
            record_sha256=record_sha256,
            seed=self._seed,
            settings=self._settings,
            segments=tuple((segment.start, segment.stop) for segment in self._segments),
            share=round(sum(map(len, self._segments)) / len(self._record.frames), 4),
            left_out=self._left_out_count,
            plants=plants,
            overall=_compute_recall(plants, confidence),
            by_size={name: _compute_recall(some, confidence) for name, some in classes.items()},
        )

    def _choose_segment_count(self) -> int:
        most = int(self._settings.share * len(self._record.frames) / self._settings.length)
        return max(1, min(self._settings.segments, most))

    def cut_donor_faces(self) -> list[DonorFace]:
        """Faces of the clip that every detector of the record saw well."""
        wanted = defaultdict(list)
        for index, face in find_donor_faces(self._record, _MAX_DONORS):
            wanted[index].append(face)
        return [
            cut_donor_face(picture, face) for index, picture in self._read_pictures(wanted) for face in wanted[index]
        ]

    def _read_pictures(self, frame_indices: Mapping[int, object]) -> Iterator[tuple[int, Rgb]]:
        """Some frames of the source as they are seen, at full size."""
        if not frame_indices:
            return
        on_damage: OnDamage = "cover" if self._record.damaged else "stop"
        last = max(frame_indices)
        with open_source(self._source, self._info, on_damage=on_damage) as source:
            for frame in source.frames():
                if frame.index in frame_indices:
                    yield frame.index, frame.rgb(None)
                if frame.index >= last:
                    return

    def _place_faces(self, donors: Sequence[DonorFace]) -> dict[int, list[_PlacedFace]]:
        """By first frame of each segment, the faces that are planted in it."""
        heights, speed, borders = (
            collect_face_heights(self._record),
            measure_face_speed(self._record),
            measure_border_share(self._record),
        )
        sown: dict[int, list[_PlacedFace]] = {segment.start: [] for segment in self._segments}
        for segment in self._segments:
            taken = [face.box.scale(_CLEARANCE_SCALE) for index in segment for face in self._record.frames[index].faces]
            for _ in range(self._settings.faces if donors else 0):
                look = draw_appearance(heights, self._frame_size, borders, self._generator)
                donor, look = draw_donor_face(donors, look, self._generator)
                one = self._fit_face(donor, look, segment, speed, taken)
                if one is None:
                    self._left_out_count += 1
                    continue
                taken += [one.locate(index).scale(_CLEARANCE_SCALE) for index in segment]
                sown[segment.start].append(one)
        return sown

    def _fit_face(
        self, donor: DonorFace, appearance: Appearance, segment: range, speed: float, occupied_boxes: Sequence[Box]
    ) -> _PlacedFace | None:
        """A face on its way, smaller where there is no room for it as it was drawn; None where there is none at all."""
        for smaller in _HEIGHT_SHARES:
            fit = msgspec.structs.replace(
                appearance, height=round(max(appearance.height * smaller, MIN_FACE_HEIGHT_PX), 2)
            )
            way = self._find_free_path(donor, fit, segment, speed, occupied_boxes)
            if way is not None:
                return _PlacedFace(donor, fit, way, segment, int(self._generator.integers(2**32)))
        return None

    def _find_free_path(
        self, donor: DonorFace, appearance: Appearance, segment: range, speed: float, occupied_boxes: Sequence[Box]
    ) -> FacePath | None:
        """A way that keeps clear of all other faces; None when none was drawn."""
        shape = donor.face_box.width / donor.face_box.height
        for _ in range(_MAX_PATH_TRIES):
            way = draw_path(appearance, shape, self._frame_size, speed, self._generator)
            boxes = [way.locate(place) for place in range(len(segment))]
            inside = all((part := box.clip(self._frame_size)) is not None and part.area > box.area / 2 for box in boxes)
            if inside and not any(box.intersection_area(other) for box in boxes for other in occupied_boxes):
                return way
        return None

    def _detect_planted_faces(
        self,
        placed_faces: Mapping[int, Sequence[_PlacedFace]],
        plans: Sequence[DetectorPlan],
        ensemble: DetectorEnsemble,
        listener: ProgressListener,
    ) -> dict[int, Mapping[str, Sequence[tuple[Box, float]]]]:
        """By frame, what the detectors see in the copies."""
        starts = {index: segment.start for segment in self._segments for index in segment}
        seen: dict[int, Mapping[str, Sequence[tuple[Box, float]]]] = {}
        order = sorted(starts)
        ensemble.set_first_ticket(0)
        for ticket, (index, picture) in enumerate(self._read_pictures(starts)):
            copy = picture.copy()
            for one in placed_faces[starts[index]]:
                composite_face(copy, one.donor, one.appearance, one.locate(index), one.noise_seed + index)
            ensemble.submit(
                ticket,
                {side: [_fit_picture(copy, side)] for side in ensemble.input_sides},
                f"frame {index} with planted faces",
            )
            self._collect_answers(ensemble.take_finished(), order, plans, seen)
            listener.progress("plant", ticket + 1, len(starts))
        self._collect_answers(ensemble.drain(), order, plans, seen)
        return seen

    def _collect_answers(
        self,
        answers: Iterator[tuple[int, BatchesByDetector]],
        frame_indices: Sequence[int],
        plans: Sequence[DetectorPlan],
        detections: dict[int, Mapping[str, Sequence[tuple[Box, float]]]],
    ) -> None:
        for ticket, answer in answers:
            sightings: Mapping[str, Sequence[Detection]] = {one.name: answer[one.name][0] for one in plans}
            detections[frame_indices[ticket]] = {
                one.name: scale_to_display(one, sightings[one.name], self._frame_size) for one in plans
            }

    def _build_timeline(self, detections: Sequence[Mapping[str, Sequence[tuple[Box, float]]]]) -> list[list[Box]]:
        """The faces that the record would have in each frame of a segment."""
        detection = self._record.detection
        sure = {one.name: float(str(one.parameters.get("sure") or 0.0)) for one in detection.detectors}
        timeline = build_timeline(
            detections,
            [0.0] * len(detections),
            self._frame_size,
            detection.fusion,
            detection.tracking,
            detection.smoothing,
            sure,
        )
        return [[face.box for face in faces] for faces in timeline.faces]


def _compute_recall(plants: Sequence[PlantedFace], confidence: float) -> PlantedRecall:
    frames, found = sum(one.frames for one in plants), sum(one.found for one in plants)
    throughout = sum(one.found == one.frames for one in plants)
    recall = found / frames if frames else None
    return PlantedRecall(
        plants=len(plants),
        throughout=throughout,
        throughout_interval=clopper_pearson_interval(throughout, len(plants), confidence),
        frames=frames,
        found=found,
        recall=recall,
        recall_interval=None if recall is None else wilson_interval(recall, len(plants), confidence),
    )


def _fit_picture(picture: Rgb, longest_side: int | None) -> Rgb:
    size = Size(picture.shape[1], picture.shape[0])
    wanted = size.fit(longest_side)
    if wanted == size:
        return picture
    return np.asarray(cv2.resize(picture, (wanted.width, wanted.height), interpolation=cv2.INTER_AREA), np.uint8)
