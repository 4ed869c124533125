"""Precision and recall of each detector over the score from which its detections count.

Boxes are matched greedily by falling score, as in PASCAL VOC and COCO, because each point of the curve leaves out the
boxes below a score. A point may therefore differ a little from the figures of `engine.evaluation.summary`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.core.geometry import Box
from engine.evaluation.ground_truth import Truth
from engine.evaluation.judgements import Criteria, Outcome, PairedFrame, clip_face, pair_frames
from engine.record import Detection, Document, Frame, Record

_MAX_POINTS = 200


class CurvePoint(Document, frozen=True, gc=False):
    """Precision and recall of the detections that have at least `score`."""

    score: float
    recall: float
    precision: float


@dataclass(frozen=True, slots=True)
class _ScoredOutcome:
    score: float
    outcome: Outcome


def compute_score_curves(
    truth: Truth, records: Mapping[str, Record], criteria: Criteria | None = None
) -> dict[str, tuple[CurvePoint, ...]]:
    """Compute the curve of each detector of the records, by name, from its highest score down.

    All that the detector reported counts, also what the timeline did not take for a face. Detections under the
    detector's threshold are in no record, so a curve ends there.

    Args:
        truth: The ground truth; clips without a record are left out.
        records: The records by name of the clip.
        criteria: The criteria.

    Raises:
        InputError: A record cannot be of its clip.
    """
    criteria = criteria or Criteria()
    outcomes: dict[str, list[_ScoredOutcome]] = defaultdict(list)
    face_count = 0
    for clip in truth.shrink_to_centre(criteria.centre).clips:
        if clip.name not in records:
            continue
        for paired in pair_frames(clip, records, criteria):
            inside = [clipped for face in paired.truth.faces if (clipped := clip_face(face, paired))]
            counted = [face.box for face in inside if not face.ignore]
            ignored = [face.box for face in inside if face.ignore]
            face_count += len(counted)
            for detector, detections in _group_detections(paired).items():
                outcomes[detector] += _match_by_score(detections, counted, ignored, criteria.iou)
    return {detector: _build_curve(found, face_count) for detector, found in sorted(outcomes.items())}


def _group_detections(paired: PairedFrame) -> dict[str, list[Detection]]:
    frame: Frame = paired.frame
    grouped: dict[str, list[Detection]] = defaultdict(list)
    for detection in (*(one for face in frame.faces for one in face.evidence), *frame.doubtful):
        grouped[detection.detector].append(detection)
    return grouped


def _match_by_score(
    detections: Iterable[Detection], faces: Sequence[Box], ignored: Sequence[Box], iou: float
) -> list[_ScoredOutcome]:
    free, found = set(range(len(faces))), []
    for detection in sorted(detections, key=lambda one: -one.score):
        best = max(free, key=lambda face: faces[face].iou(detection.box), default=None)
        if best is not None and faces[best].iou(detection.box) >= iou:
            free.discard(best)
            found.append(_ScoredOutcome(detection.score, Outcome.HIT))
        elif not any(detection.box.intersection_area(box) >= iou * detection.box.area for box in ignored):
            found.append(_ScoredOutcome(detection.score, Outcome.FALSE))
    return found


def _build_curve(found: Sequence[_ScoredOutcome], face_count: int) -> tuple[CurvePoint, ...]:
    if not found or not face_count:
        return ()
    ordered = sorted(found, key=lambda one: -one.score)
    hits = np.cumsum([one.outcome is Outcome.HIT for one in ordered])
    scores = np.array([one.score for one in ordered])
    # Detections of one score come together: a threshold cannot divide them.
    ends = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    if len(ends) > _MAX_POINTS:
        ends = ends[np.unique(np.linspace(0, len(ends) - 1, _MAX_POINTS).round().astype(int))]
    return tuple(
        CurvePoint(float(scores[end]), round(float(hits[end]) / face_count, 6), round(float(hits[end]) / (end + 1), 6))
        for end in map(int, ends)
    )
