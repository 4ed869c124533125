"""Planted faces: put faces into copies of a video and count how many of them its detection finds.

Detectors share blind spots, so their agreement is not a recall. Here the places of the faces are known. Some segments
of the video are copied in memory, faces are planted where there is room, and the detectors of the record run on the
copies with the settings of the record. A planted face is a cut-out: the result says how well faces of these sizes and
this look are found in this video, not how well those are found that no detector ever sees. See
docs/guides/leak-check.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.assurance.leak_check.check_detectors import StartDetectors
from engine.assurance.planted_faces.compositing import DonorFace, composite_face, cut_donor_face, find_donor_faces
from engine.assurance.planted_faces.donor_faces import select_donor_faces
from engine.assurance.planted_faces.placement import PlacedFace, Placement, choose_segments, place_faces
from engine.assurance.planted_faces.report import (
    SCHEMA,
    PlantedFace,
    PlantedFaceReport,
    PlantedFaceSettings,
    compute_recall,
)
from engine.core.face_sizes import SIZE_CLASSES
from engine.core.geometry import Box, Size
from engine.core.picture import Rgb
from engine.core.progress import ProgressListener, SilentListener
from engine.detectors.base import RemoteDetectorSettings
from engine.detectors.ensemble import BatchesByDetector, DetectorEnsemble
from engine.detectors.registry import DetectorPlan, import_detector_class, plan_detector
from engine.detectors.scale import scale_to_display
from engine.errors import InputError, RecordError
from engine.isolation.guarded import guarded
from engine.media.facts import MediaInfo
from engine.media.source.decode import OnDamage, open_source
from engine.media.source.probe import probe
from engine.record import Detection, Record, sha256_hex
from engine.review.load import load_record
from engine.storage.data_folder import find_data_folder
from engine.timeline.build import build_timeline
from engine.version import VERSION

_MAX_DONORS = 8
_FOUND_IOU = 0.35
"""IoU from which a face of the timeline counts as the planted face, as in docs/measurements/recall.md."""


@guarded("source")
def run_planted_faces(  # noqa: PLR0913 - the last three have defaults that only tests and the command line change
    source: Path | str,
    record: Path | str | Record,
    *,
    settings: PlantedFaceSettings | None = None,
    data: Path | str | None = None,
    listener: ProgressListener | None = None,
    start_detectors: StartDetectors = DetectorEnsemble,
) -> PlantedFaceReport:
    """Plant faces into copies of segments of a video, and count how many of them the detection of its record finds.

    No picture is kept. The same source, record and settings give the same report.

    Args:
        source: The video.
        record: Its detection record, or the path of the record. Its detectors run again with its settings.
        settings: How much is planted.
        data: The data folder.
        listener: Receives the progress.
        start_detectors: Starts the detectors.

    Raises:
        RecordError: The record is invalid or of another video.
        SourceError: The source is unreadable.
        InputError: The detection cannot be repeated, see `find_planting_obstacle`.
        ModelError: Weights are missing or not the pinned ones.
        DetectorError: The process of a detector died, hung or failed.
    """
    document, record_sha256 = load_record(record)
    info = probe(source)
    if info.sha256 != document.source.sha256:
        raise RecordError(f"The record is of another video than {source}; give its own, or detect this one.")
    settings = settings or PlantedFaceSettings()
    plans = plans_from_record(document)
    # Everything random follows from the source, so that the figure cannot be drawn again until it looks favourable.
    seed = sha256_hex(f"{SCHEMA} {document.source.sha256}".encode())
    generator = np.random.default_rng(int(seed[:16], 16))
    segments = choose_segments(document, settings, generator)
    experiment = _Experiment(Path(source), info, document, plans, segments)
    models_folder = find_data_folder(data).models
    with start_detectors(plans, models_folder, 1) as ensemble:
        donors = select_donor_faces(experiment.cut_donor_faces(), document, start_detectors, models_folder)
        placement = place_faces(document, donors, segments, settings.faces, generator)
        planted_faces = tuple(experiment.run(placement, ensemble, listener or SilentListener()))
    by_size = {
        name: [face for face in planted_faces if least <= face.guise.height < limit]
        for name, (least, limit) in SIZE_CLASSES.items()
    }
    return PlantedFaceReport(
        schema=SCHEMA,
        veil=VERSION,
        source_sha256=document.source.sha256,
        record_sha256=record_sha256,
        seed=seed,
        settings=settings,
        segments=tuple((segment.start, segment.stop) for segment in segments),
        share=round(sum(map(len, segments)) / len(document.frames), 4),
        left_out=placement.left_out_count,
        plants=planted_faces,
        overall=compute_recall(planted_faces, settings.confidence),
        by_size={name: compute_recall(faces, settings.confidence) for name, faces in by_size.items()},
    )


def find_planting_obstacle(record: Record) -> str | None:
    """Return the reason why the detection of a record cannot be repeated, in a sentence; None if it can."""
    for facts in record.detection.detectors:
        if issubclass(import_detector_class(facts.name).settings_type, RemoteDetectorSettings):
            return f"{facts.name} asks a service: faces are not planted, because every picture would be sent and paid."
        if facts.parameters.get("weights") is not None:
            return f"{facts.name} ran with weights of your own, and the record does not say where they are."
    return None


def plans_from_record(record: Record) -> list[DetectorPlan]:
    """Plan the detectors of a record with the parameters of the record.

    Raises:
        InputError: The detection cannot be repeated, see `find_planting_obstacle`.
    """
    if obstacle := find_planting_obstacle(record):
        raise InputError(obstacle)
    return [plan_detector(facts.name, facts.parameters) for facts in record.detection.detectors]


@dataclass(frozen=True, slots=True)
class _Experiment:
    """One run: the video with its record, the detectors of the record, and the segments that are copied."""

    source: Path
    info: MediaInfo
    record: Record
    plans: Sequence[DetectorPlan]
    segments: Sequence[range]

    def cut_donor_faces(self) -> list[DonorFace]:
        """Cut out the faces of the video that every detector of the record found with a high score."""
        wanted = defaultdict(list)
        for index, face in find_donor_faces(self.record, _MAX_DONORS):
            wanted[index].append(face)
        return [
            cut_donor_face(picture, face) for index, picture in self._read_pictures(wanted) for face in wanted[index]
        ]

    def run(
        self, placement: Placement, ensemble: DetectorEnsemble, listener: ProgressListener
    ) -> Iterator[PlantedFace]:
        """Detect the copies and yield, for every planted face, in how many of its frames it was found."""
        frame_size = self.record.display
        detections = self._detect_copies(placement.faces_by_segment, ensemble, listener)
        for segment in self.segments:
            # A planted face counts as found only if it is in the timeline: the detectors may see it and the tracks
            # still drop it, and then a render would not cover it.
            boxes_by_frame = self._build_timeline([detections[index] for index in segment])
            for face in placement.faces_by_segment[segment.start]:
                visible = [
                    (box, boxes)
                    for index, boxes in zip(segment, boxes_by_frame, strict=True)
                    if (box := face.locate(index).clip(frame_size)) is not None
                ]
                found_count = sum(any(box.iou(other) >= _FOUND_IOU for other in boxes) for box, boxes in visible)
                yield PlantedFace(segment.start, face.donor.origin, face.appearance, len(visible), found_count)

    def _read_pictures(self, frame_indices: Mapping[int, object]) -> Iterator[tuple[int, Rgb]]:
        """Read the frames with these indices at full size, in display orientation."""
        if not frame_indices:
            return
        on_damage: OnDamage = "cover" if self.record.damaged else "stop"
        last = max(frame_indices)
        with open_source(self.source, self.info, on_damage=on_damage) as source:
            for frame in source.frames():
                if frame.index in frame_indices:
                    yield frame.index, frame.rgb(None)
                if frame.index >= last:
                    return

    def _detect_copies(
        self,
        faces_by_segment: Mapping[int, Sequence[PlacedFace]],
        ensemble: DetectorEnsemble,
        listener: ProgressListener,
    ) -> dict[int, list[Detection]]:
        """Run the detectors on the copies with the planted faces; return their detections by frame."""
        starts = {index: segment.start for segment in self.segments for index in segment}
        detections: dict[int, list[Detection]] = {}
        # A ticket is the position of a frame in this order, because the ensemble answers by consecutive tickets.
        frame_indices = sorted(starts)
        ensemble.set_first_ticket(0)
        for ticket, (index, picture) in enumerate(self._read_pictures(starts)):
            copy = picture.copy()
            for face in faces_by_segment[starts[index]]:
                # The seed differs from frame to frame: noise that stands still would be a pattern, not noise.
                composite_face(copy, face.donor, face.appearance, face.locate(index), face.noise_seed + index)
            pictures = {side: [_fit_picture(copy, side)] for side in ensemble.input_sides}
            ensemble.submit(ticket, pictures, f"frame {index} with planted faces")
            # Answers are taken while frames are read, so that the ensemble never holds the copies of all segments.
            detections.update(self._scale_answers(ensemble.take_finished(), frame_indices))
            listener.progress("plant", ticket + 1, len(starts))
        detections.update(self._scale_answers(ensemble.drain(), frame_indices))
        return detections

    def _scale_answers(
        self, answers: Iterator[tuple[int, BatchesByDetector]], frame_indices: Sequence[int]
    ) -> Iterator[tuple[int, list[Detection]]]:
        for ticket, answer in answers:
            yield (
                frame_indices[ticket],
                [
                    detection
                    for plan in self.plans
                    for detection in scale_to_display(
                        answer[plan.name].detections[0], plan.longest_side, self.record.display
                    )
                ],
            )

    def _build_timeline(self, detections: Sequence[Sequence[Detection]]) -> list[list[Box]]:
        """Return the boxes that the record would have in each frame of a segment."""
        detection = self.record.detection
        timeline = build_timeline(
            detections,
            [0.0] * len(detections),
            self.record.display,
            detection,
            {facts.name: facts.confident_score for facts in detection.detectors},
        )
        return [[face.box for face in faces] for faces in timeline.faces]


def _fit_picture(picture: Rgb, longest_side: int | None) -> Rgb:
    size = Size(picture.shape[1], picture.shape[0])
    wanted = size.fit(longest_side)
    if wanted == size:
        return picture
    return np.asarray(cv2.resize(picture, (wanted.width, wanted.height), interpolation=cv2.INTER_AREA), np.uint8)
