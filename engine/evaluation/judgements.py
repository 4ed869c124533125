"""Compare records with ground truth, face by face: which faces are found, covered, or false.

Every figure in `engine.evaluation.summary` is a count of these judgements.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Literal

import msgspec

from engine.core.geometry import Box, Orientation, Size
from engine.errors import InputError
from engine.evaluation.coverage import measure_hidden_share, measure_mask_area
from engine.evaluation.ground_truth import Clip, LabelledFrame, Truth, TruthFace
from engine.evaluation.matching import assign_boxes
from engine.masking.presets import style_from_preset
from engine.masking.style import Style
from engine.record import Count, Document, Frame, Record

RECORD = "*"
"""Stands for the faces of the record, which a render covers, in place of the name of a detector."""

Share = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]


class Criteria(Document, frozen=True):
    """The criteria of an evaluation.

    Attributes:
        iou: IoU from which a box found a face.
        hidden: Share of the box of a face that must lie under an opaque mask for the face to count as covered.
        centre: Share of the width and height of a truth box, around its centre, that counts as the face; below 1 for
            tables that mark heads.
        frames: "listed" judges the frames of the table. "all" takes every other frame of a record to show no face, so
            that boxes there are false.
        confidence: Confidence level of the intervals.
        resamples: Number of resamples for an interval.
        seed: Seed of the resampling.
    """

    iou: Share = 0.35
    hidden: Share = 0.9
    centre: Share = 1.0
    frames: Literal["listed", "all"] = "listed"
    confidence: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.95
    resamples: Annotated[int, msgspec.Meta(ge=1)] = 2000
    seed: Count = 0


class Outcome(IntEnum):
    """The outcome of a box. Of several boxes of one face the highest outcome counts."""

    FALSE = 0
    EXCUSED = 1
    """The box lies on an ignored face, and counts neither way."""
    HIT = 2


@dataclass(frozen=True, slots=True)
class FaceJudgement:
    """The judgement of a truth face that is not ignored.

    Attributes:
        clip: Name of its clip.
        file: The clip, or the still of it that shows the face.
        frame: Number of the frame in presentation order.
        truth: The face, with its box clipped to the picture.
        found_by: Detectors with a box of their own that found it, and `RECORD` if a face of the record did.
        hidden: Share of its box that the render covers.
        covered: True if that is enough.
    """

    clip: str
    file: str
    frame: int
    truth: TruthFace
    found_by: frozenset[str]
    hidden: float
    covered: bool


@dataclass(frozen=True, slots=True)
class BoxJudgement:
    """The judgement of a face of the record: its height in pixels, and its outcome for `RECORD` and each detector."""

    clip: str
    height: float
    outcomes: Mapping[str, Outcome]


@dataclass(slots=True)
class MaskAreas:
    """Areas over the judged frames that are not covered whole, in display pixels.

    Attributes:
        masks: Area that masks change, false ones included; those of boxes on ignored faces count neither way.
        heads: Area of the truth boxes that count, inside the picture.
    """

    masks: float = 0.0
    heads: float = 0.0


@dataclass(frozen=True, slots=True)
class Judgements:
    """All judgements of an evaluation.

    Attributes:
        faces: Judgements of the truth faces, in the order of the truth.
        boxes: Judgements of the faces of the records in the judged frames.
        frames: Number of judged frames by clip.
        detectors: Detectors that ran for every record.
        unrecorded: Clips that were left out because they have no record.
        areas: Areas of masks and of heads.
    """

    criteria: Criteria
    style: Style
    faces: tuple[FaceJudgement, ...]
    boxes: tuple[BoxJudgement, ...]
    frames: Mapping[str, int]
    detectors: tuple[str, ...]
    unrecorded: tuple[str, ...]
    areas: MaskAreas


def judge_records(
    truth: Truth,
    records: Mapping[str, Record],
    criteria: Criteria | None = None,
    style: Style | None = None,
    *,
    partial: bool = False,
) -> Judgements:
    """Compare records with ground truth.

    Args:
        truth: The ground truth.
        records: The records by name of the clip. A folder of stills has one record of all its frames, or one record of
            a single frame for each of its files.
        criteria: The criteria.
        style: Style of the masks of a render; the preset `strong` if left out.
        partial: True to leave out clips without a record instead of refusing them.

    Raises:
        InputError: A clip has no record, a record belongs to no clip, or a record cannot be of its clip: it has too few
            frames, or a truth box lies outside its picture.
    """
    criteria, style = criteria or Criteria(), style or style_from_preset()
    _check_names(truth, records)
    unrecorded = tuple(name for clip in truth.clips for name in _list_unrecorded(clip, records))
    if unrecorded and not partial:
        raise InputError(
            f"{truth.name} names {len(unrecorded)} file(s) that have no record, the first is {unrecorded[0]}; "
            "give a record for each, or ask for a partial evaluation."
        )
    judge = _Judge(criteria, style)
    # Tables that mark whole heads have boxes larger than a face. Only their centre has to be found and covered.
    for clip in truth.shrink_to_centre(criteria.centre).clips:
        for view in pair_frames(clip, records, criteria):
            judge.judge_frame(clip.name, view)
    return Judgements(
        criteria,
        style,
        tuple(judge.faces),
        tuple(judge.boxes),
        judge.frames,
        _find_common_detectors(records.values()),
        unrecorded,
        judge.areas,
    )


@dataclass(frozen=True, slots=True)
class RecordedVideo:
    """The facts that all frames of a record share."""

    frames: Sequence[Frame]
    display: Size
    orientation: Orientation
    damaged: frozenset[int]

    @classmethod
    def from_record(cls, record: Record) -> RecordedVideo:
        """Collect the facts of a record."""
        orientation = record.source.video.orientation
        return cls(record.frames, record.display, orientation, frozenset(record.damaged + record.covered))

    def pair_frame(self, truth: LabelledFrame, index: int) -> PairedFrame:
        """Pair a labelled frame with the frame of the record at `index`."""
        if index >= len(self.frames):
            raise InputError(
                f"{truth.file} frame {truth.number} is not in its record, which has {len(self.frames)} frame(s), "
                "counted from 0; check that the record is of this file."
            )
        return PairedFrame(truth, self.frames[index], self)


@dataclass(frozen=True, slots=True)
class PairedFrame:
    """A frame of the truth with the same frame of a record."""

    truth: LabelledFrame
    frame: Frame
    video: RecordedVideo


def _check_names(truth: Truth, records: Mapping[str, Record]) -> None:
    known = {clip.name for clip in truth.clips} | {frame.file for clip in truth.clips for frame in clip.frames}
    for name in records.keys() - known:
        raise InputError(f"There is a record for {name}, which {truth.name} does not name; leave that record out.")


def _list_unrecorded(clip: Clip, records: Mapping[str, Record]) -> list[str]:
    """List the clip, or its stills without a record if other stills have one."""
    if clip.name in records:
        return []
    files = [frame.file for frame in clip.frames] if clip.sequence else [clip.name]
    missing = [file for file in files if file not in records]
    return [clip.name] if len(missing) == len(files) else missing


def pair_frames(clip: Clip, records: Mapping[str, Record], criteria: Criteria) -> Iterator[PairedFrame]:
    """Yield the judged frames of a clip, each with its frame of a record.

    Raises:
        InputError: A record has too few frames.
    """
    if clip.name not in records:
        yield from (
            RecordedVideo.from_record(records[frame.file]).pair_frame(frame, 0)
            for frame in clip.frames
            if frame.file in records
        )
        return
    video = RecordedVideo.from_record(records[clip.name])
    yield from (video.pair_frame(frame, frame.number) for frame in clip.frames)
    if criteria.frames == "all":
        listed = {frame.number for frame in clip.frames}
        others = (index for index in range(len(video.frames)) if index not in listed)
        yield from (video.pair_frame(LabelledFrame(clip.name, index, ()), index) for index in others)


def _find_common_detectors(records: Iterable[Record]) -> tuple[str, ...]:
    """Return the detectors that ran for every record, sorted by name."""
    names = [{detector.name for detector in record.detection.detectors} for record in records]
    return tuple(sorted(set.intersection(*names))) if names else ()


class _Judge:
    """Collects the judgements frame by frame."""

    def __init__(self, criteria: Criteria, style: Style) -> None:
        self.faces: list[FaceJudgement] = []
        self.boxes: list[BoxJudgement] = []
        self.frames: Counter[str] = Counter()
        self.areas = MaskAreas()
        self._criteria, self._style = criteria, style

    def judge_frame(self, clip: str, paired: PairedFrame) -> None:
        """Judge one frame of the clip of that name."""
        inside = [clipped for face in paired.truth.faces if (clipped := clip_face(face, paired))]
        faces = [face for face in inside if not face.ignore]
        ignored = [face.box for face in inside if face.ignore]
        found_by, outcomes = self._match_boxes([face.box for face in faces], ignored, paired.frame)
        self.frames[clip] += 1
        self.boxes += (
            BoxJudgement(clip, face.box.height, outcome)
            for face, outcome in zip(paired.frame.faces, outcomes, strict=True)
        )
        excused = [outcome[RECORD] == Outcome.EXCUSED for outcome in outcomes]
        self._add_areas([face.box for face in faces], excused, paired)
        for face, finders in zip(faces, found_by, strict=True):
            hidden = self._measure_hidden(face.box, paired)
            covered = hidden >= self._criteria.hidden
            self.faces.append(
                FaceJudgement(clip, paired.truth.file, paired.truth.number, face, frozenset(finders), hidden, covered)
            )

    def _add_areas(self, truth: Iterable[Box], excused: Iterable[bool], paired: PairedFrame) -> None:
        if paired.frame.index in paired.video.damaged:
            return
        # Of boxes that mark heads only the centre was kept; the mask has to fit the head.
        self.areas.heads += sum(box.area for box in truth) / self._criteria.centre**2
        if boxes := [face.box for face, left_out in zip(paired.frame.faces, excused, strict=True) if not left_out]:
            self.areas.masks += measure_mask_area(boxes, paired.video.orientation, self._style)

    def _match_boxes(
        self, faces: Sequence[Box], ignored: Sequence[Box], frame: Frame
    ) -> tuple[list[set[str]], list[dict[str, Outcome]]]:
        """Return the detectors that found each truth face, and the outcomes of each face of the record."""
        found_by: list[set[str]] = [set() for _ in faces]
        outcomes: list[dict[str, Outcome]] = [{} for _ in frame.faces]
        for detector, boxes in _group_boxes(frame).items():
            hits = assign_boxes(faces, [box for _, box in boxes], self._criteria.iou)
            for face in hits:
                found_by[face].add(detector)
            for position, (owner, box) in enumerate(boxes):
                outcome = Outcome.HIT if position in hits.values() else self._judge_unmatched(box, ignored)
                outcomes[owner][detector] = max(outcome, outcomes[owner].get(detector, Outcome.FALSE))
        return found_by, outcomes

    def _judge_unmatched(self, box: Box, ignored: Iterable[Box]) -> Outcome:
        """Judge a box without a face as COCO does: it is excused if enough of its own area lies on an ignored face."""
        on_ignored = any(box.intersection_area(other) >= self._criteria.iou * box.area for other in ignored)
        return Outcome.EXCUSED if on_ignored else Outcome.FALSE

    def _measure_hidden(self, face: Box, paired: PairedFrame) -> float:
        if paired.frame.index in paired.video.damaged:
            return 1.0  # a render covers such a frame whole
        boxes = (other.box for other in paired.frame.faces)
        return measure_hidden_share(face, boxes, paired.video.orientation, self._style)


def _group_boxes(frame: Frame) -> dict[str, list[tuple[int, Box]]]:
    """Group boxes by `RECORD` and by detector, each with the position of the face it belongs to."""
    boxes: dict[str, list[tuple[int, Box]]] = defaultdict(list)
    for owner, face in enumerate(frame.faces):
        boxes[RECORD].append((owner, face.box))
        for evidence in face.evidence:
            boxes[evidence.detector].append((owner, evidence.box))
    return boxes


def clip_face(face: TruthFace, paired: PairedFrame) -> TruthFace | None:
    """Clip a face to the picture, as the boxes of a record are; None for an ignored face outside it."""
    size = paired.video.display
    box = face.box.clip(size)
    if box is None and not face.ignore:
        raise InputError(
            f"{paired.truth.file} frame {paired.truth.number} has a face at {face.box.left:g},{face.box.top:g} that "
            f"lies outside the {size.width}x{size.height} picture of its record; check that the record is of this file."
        )
    return msgspec.structs.replace(face, box=box) if box else None
