"""The report of the planted faces: settings, every planted face, and the recall overall and by size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from engine.assurance.planted_faces.compositing import Appearance, DonorOrigin
from engine.core.face_sizes import Interval
from engine.record import Count, Document, Score, Sha256
from engine.statistics.binomial import clopper_pearson_interval, wilson_interval

SCHEMA: Literal["veil/planted/1"] = "veil/planted/1"

PositiveCount = Annotated[int, msgspec.Meta(ge=1)]


class PlantedFaceSettings(Document, frozen=True):
    """How many faces are planted, and into how much of the video.

    Attributes:
        segments: Number of segments of the video that are copied.
        length: Length of a segment in frames.
        faces: Number of faces planted into each segment.
        share: Largest share of the frames that the segments may take up together, which bounds the cost. One segment
            is always used.
        confidence: Confidence level of the intervals.
    """

    segments: PositiveCount = 12
    length: Annotated[int, msgspec.Meta(ge=2)] = 16
    faces: PositiveCount = 3
    share: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.1
    confidence: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.95


class PlantedFace(Document, frozen=True):
    """One planted face.

    Attributes:
        first: Index of its first frame.
        origin: "clip" for a face of the video itself, "package" for the picture of a package.
        guise: How the face was changed before it was planted.
        frames: Number of frames in which it shows.
        found: Number of those frames in which a face of the timeline overlaps it.
    """

    first: Count
    origin: DonorOrigin
    guise: Appearance
    frames: Count
    found: Count


class PlantedRecall(Document, frozen=True):
    """The recall on planted faces.

    Attributes:
        plants: Number of planted faces, each in one segment.
        throughout: Number of those found in every one of their frames.
        throughout_interval: Exact interval (Clopper-Pearson) of the share of these; None without planted faces.
        frames: Number of frames with a planted face, summed over all of them.
        found: Number of those frames in which the planted face was found.
        recall: found / frames, None if no face was planted.
        recall_interval: Wilson's interval of the recall, None if no face was planted.
    """

    plants: Count
    throughout: Count
    throughout_interval: Interval | None
    frames: Count
    found: Count
    recall: Score | None
    recall_interval: Interval | None


class PlantedFaceReport(Document, frozen=True):
    """The result of planting faces into copies of one video.

    Attributes:
        seed: Seed of all random choices; it follows from the source.
        segments: First frame of each segment, and the frame after its last.
        share: Share of the frames of the video that were detected again.
        left_out: Number of faces for which no free place was found.
        by_size: The recall for each of `engine.core.face_sizes.SIZE_CLASSES`, by the height of the planted face.
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


def compute_recall(planted_faces: Sequence[PlantedFace], confidence: float) -> PlantedRecall:
    """Compute the recall on some planted faces, with intervals at `confidence`."""
    frames, found = sum(face.frames for face in planted_faces), sum(face.found for face in planted_faces)
    throughout = sum(face.found == face.frames for face in planted_faces)
    recall = found / frames if frames else None
    return PlantedRecall(
        plants=len(planted_faces),
        throughout=throughout,
        throughout_interval=clopper_pearson_interval(throughout, len(planted_faces), confidence),
        frames=frames,
        found=found,
        recall=recall,
        # The frames of one planted face are nearly alike: a detector that finds it in one finds it in most. Counting
        # each frame as an independent trial would make the interval far too narrow, so the trials are the faces.
        recall_interval=None if recall is None else wilson_interval(recall, len(planted_faces), confidence),
    )
