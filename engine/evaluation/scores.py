"""The report of an evaluation: figures with the counts they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from engine.core.face_sizes import Interval
from engine.core.geometry import Box
from engine.evaluation.judgements import Criteria
from engine.masking.style import Style
from engine.record import Document


class Scores(Document, frozen=True, kw_only=True):
    """Scores of boxes. A rate of a total of 0 is None, and so is an interval from fewer than two units.

    Attributes:
        faces: truth faces that count.
        found: those that a box found.
        recall: found / faces.
        recall_interval: both ends, from resampling images and tracks.
        boxes: boxes that count, being on no ignored face. In a class of sizes: boxes of that size.
        false_boxes: those that found no face.
        precision: (boxes - false_boxes) / boxes.
        frames: frames (a photograph is one) that were judged, of all sizes.
        false_per_frame: false_boxes / frames.
        false_per_frame_interval: both ends, from resampling clips and images.
    """

    faces: int
    found: int
    recall: float | None
    recall_interval: Interval | None
    boxes: int
    false_boxes: int
    precision: float | None
    frames: int
    false_per_frame: float | None
    false_per_frame_interval: Interval | None


class RecordScores(Scores, frozen=True, kw_only=True):
    """Scores of the faces of the records, and the coverage of a render.

    Attributes:
        covered: truth faces of which the masks hide enough.
        coverage: covered / faces.
        coverage_interval: both ends, from resampling images and tracks.
    """

    covered: int
    coverage: float | None
    coverage_interval: Interval | None


class DetectorScores(Scores, frozen=True, kw_only=True):
    """Scores of detectors by their own boxes. A face is found if any of them found it.

    Attributes:
        detectors: names; several are a union.
        by_size: the same for each of `SIZE_CLASSES`; a false box has the size of the record's face it belongs to.
    """

    detectors: tuple[str, ...]
    by_size: Mapping[str, Scores]


class Exposure(Document, frozen=True):
    """A run of labelled frames in which a track is not covered.

    Attributes:
        clip: name of the clip.
        track: of the truth; empty for a clip with one face.
        first: number of the first frame.
        last: number of the last frame.
        frames: labelled frames in it.
        between: true if the track is covered before and after, so that the face flashes up.
    """

    clip: str
    track: str
    first: int
    last: int
    frames: int
    between: bool


class TrackScores(Document, frozen=True):
    """Coverage of whole tracks.

    Attributes:
        tracks: truth tracks in clips of more than one labelled frame.
        covered: tracks of which no labelled frame shows.
        coverage: covered / tracks.
        coverage_interval: both ends, from resampling tracks.
        untracked: clips with several faces in a frame and no column `track`, which cannot be scored.
        exposures: every run of frames in which a track shows.
    """

    tracks: int
    covered: int
    coverage: float | None
    coverage_interval: Interval | None
    untracked: tuple[str, ...]
    exposures: tuple[Exposure, ...]


class Evaluation(RecordScores, frozen=True, kw_only=True):
    """The result of comparing records with ground truth. The top figures are those of the records over all sizes.

    Attributes:
        schema: always "veil/evaluation/1".
        criteria: the criteria.
        style: style of the masks.
        by_size: the same figures for each of `SIZE_CLASSES`, by the height of the truth box, false boxes by their own.
        by_detectors: each detector alone, each pair, and all of them.
        tracks: coverage of whole tracks.
        mask_area: area that the masks change in the judged frames, in display pixels, without frames covered whole and
            masks on ignored faces.
        head_area: area of the truth boxes in those frames, without ignored ones.
        mask_area_ratio: mask_area / head_area; None when there is no truth box. False masks count, so it tells how much
            more than the heads is hidden.
        unrecorded: files that were left out because they have no record.
    """

    schema: Literal["veil/evaluation/1"] = "veil/evaluation/1"
    criteria: Criteria
    style: Style
    by_size: Mapping[str, RecordScores]
    by_detectors: tuple[DetectorScores, ...]
    tracks: TrackScores
    mask_area: float
    head_area: float
    mask_area_ratio: float | None
    unrecorded: tuple[str, ...]


class MissedFace(Document, frozen=True):
    """A truth face that was missed or is not covered.

    Attributes:
        file: where it is.
        frame: its place in presentation order.
        box: in display pixels.
        height: of the box in pixels.
        found: true if a face of the record found it.
        hidden: share of its box that the render hides.
    """

    file: str
    frame: int
    box: Box
    height: float
    found: bool
    hidden: float
