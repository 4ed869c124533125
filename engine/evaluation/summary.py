"""Compute recall, precision, false boxes and coverage from judgements, by size, by detector and by track."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.face_sizes import SIZE_CLASSES
from engine.evaluation.ground_truth import Truth
from engine.evaluation.judgements import RECORD, Criteria, Judgements, Outcome, judge_records
from engine.evaluation.scores import DetectorScores, Evaluation, MissedFace, RecordScores, Scores
from engine.evaluation.track_continuity import score_tracks
from engine.masking.style import Style
from engine.record import Record
from engine.statistics.bootstrap import Counts, Rate, compute_rates, compute_share


def evaluate(
    truth: Truth,
    records: Mapping[str, Record],
    criteria: Criteria | None = None,
    style: Style | None = None,
    *,
    partial: bool = False,
) -> Evaluation:
    """Judge records and sum up; the arguments and errors are those of `judge_records`."""
    return summarise(judge_records(truth, records, criteria, style, partial=partial))


def find_worst_misses(
    judgements: Judgements, limit: int | None = None, fault: Literal["missed", "uncovered"] = "missed"
) -> tuple[MissedFace, ...]:
    """Return the truth faces that were missed or not covered, the largest first, because they are easiest to recognise.

    Args:
        judgements: The judgements.
        limit: Largest number of faces. None: unlimited.
        fault: "missed": no face of the record found it. "uncovered": the masks do not cover it.
    """
    misses = (
        MissedFace(
            face.file, face.frame, face.truth.box, round(face.truth.box.height, 2), RECORD in face.found_by, face.hidden
        )
        for face in judgements.faces
        if (RECORD not in face.found_by if fault == "missed" else not face.covered)
    )
    return tuple(sorted(misses, key=lambda miss: (-miss.height, miss.file, miss.frame, miss.box.left)))[:limit]


def summarise(judgements: Judgements) -> Evaluation:
    """Compute the figures of judgements."""
    unions = _list_unions(judgements.detectors)
    own, *others = _compute_scores(judgements, [(RECORD,), *unions])
    overall, *by_size = (_add_coverage(*pair) for pair in zip(own, _compute_coverage(judgements), strict=True))
    return Evaluation(
        **msgspec.structs.asdict(overall),
        criteria=judgements.criteria,
        style=judgements.style,
        by_size=dict(zip(SIZE_CLASSES, by_size, strict=True)),
        by_detectors=tuple(_build_detector_scores(union, slots) for union, slots in zip(unions, others, strict=True)),
        tracks=score_tracks(judgements),
        mask_area=round(judgements.areas.masks, 1),
        head_area=round(judgements.areas.heads, 1),
        mask_area_ratio=compute_share(judgements.areas.masks, judgements.areas.heads),
        unrecorded=judgements.unrecorded,
    )


_BoxSources = tuple[str, ...]
"""The sources of the boxes: `RECORD`, or names of detectors."""
_SLOT_COUNT = 1 + len(SIZE_CLASSES)
"""Number of figures of a kind: over all sizes, then for each size. A slot is one of them."""


def _list_unions(detectors: Sequence[str]) -> list[_BoxSources]:
    """List each detector alone, each pair, and all of them."""
    numbers = sorted({1, 2, len(detectors)})
    return [union for number in numbers for union in combinations(detectors, number) if union]


def _compute_scores(judgements: Judgements, sources: Sequence[_BoxSources]) -> list[list[Scores]]:
    """Compute the scores of each source, one for each slot."""
    units, clips = _group_faces(judgements), _group_boxes(judgements)
    recall = _compute_slot_rates(
        [units.count(_mark_found(judgements, source)) for source in sources], units.count(), judgements
    )
    outcomes = [_find_outcomes(judgements, source) for source in sources]
    per_frame = _compute_slot_rates(
        [clips.count(outcome == Outcome.FALSE) for outcome in outcomes], _count_frames(judgements), judgements
    )
    hits = [clips.count(outcome == Outcome.HIT).sum(axis=0) for outcome in outcomes]
    return [
        [_build_scores(*slot) for slot in zip(*of_source, strict=True)]
        for of_source in zip(recall, per_frame, hits, strict=True)
    ]


def _build_scores(recall: Rate, per_frame: Rate, hits: float) -> Scores:
    # Boxes on ignored faces are neither hits nor false, so they are not among the boxes.
    boxes = int(hits) + per_frame.count
    return Scores(
        faces=recall.total,
        found=recall.count,
        recall=recall.value,
        recall_interval=recall.interval,
        boxes=boxes,
        false_boxes=per_frame.count,
        precision=compute_share(hits, boxes),
        frames=per_frame.total,
        false_per_frame=per_frame.value,
        false_per_frame_interval=per_frame.interval,
    )


def _compute_coverage(judgements: Judgements) -> list[Rate]:
    """Compute the coverage, one rate for each slot."""
    units = _group_faces(judgements)
    covered = np.array([face.covered for face in judgements.faces], dtype=np.bool_)
    return _compute_slot_rates([units.count(covered)], units.count(), judgements)[0]


def _add_coverage(scores: Scores, coverage: Rate) -> RecordScores:
    return RecordScores(
        **msgspec.structs.asdict(scores),
        covered=coverage.count,
        coverage=coverage.value,
        coverage_interval=coverage.interval,
    )


def _build_detector_scores(detectors: _BoxSources, slots: Sequence[Scores]) -> DetectorScores:
    overall, *by_size = slots
    return DetectorScores(
        **msgspec.structs.asdict(overall), detectors=detectors, by_size=dict(zip(SIZE_CLASSES, by_size, strict=True))
    )


@dataclass(frozen=True, slots=True)
class _ResamplingUnits:
    """Things to count, each with the number of its unit of resampling and of its size class."""

    number: int
    unit: NDArray[np.intp]
    size: NDArray[np.intp]

    @classmethod
    def assign_units(cls, units: Sequence[Hashable], things: Iterable[tuple[Hashable, float]]) -> _ResamplingUnits:
        """Number the units, and look up the unit and the size class of each thing, given with its height in pixels."""
        place = {unit: number for number, unit in enumerate(units)}
        rows = [(place[unit], height) for unit, height in things]
        starts = [least for least, _ in SIZE_CLASSES.values()]
        heights = np.array([height for _, height in rows], dtype=np.float64)
        size = np.searchsorted(starts, heights, side="right") - 1
        return cls(len(place), np.array([unit for unit, _ in rows], dtype=np.intp), size)

    def count(self, chosen: NDArray[np.bool_] | None = None) -> Counts:
        """Count the things, or the chosen ones, in each unit (row) and slot (column)."""
        chosen = np.ones(len(self.unit), dtype=np.bool_) if chosen is None else chosen
        of_size = [
            np.bincount(self.unit[chosen & (self.size == size)], minlength=self.number)
            for size in range(len(SIZE_CLASSES))
        ]
        return np.stack([sum(of_size), *of_size], axis=1).astype(np.float64)


def _group_faces(judgements: Judgements) -> _ResamplingUnits:
    """Assign the truth faces to images or tracks."""
    keys = [(face.clip, face.truth.track) for face in judgements.faces]
    heights = (face.truth.box.height for face in judgements.faces)
    return _ResamplingUnits.assign_units(list(dict.fromkeys(keys)), zip(keys, heights, strict=True))


def _group_boxes(judgements: Judgements) -> _ResamplingUnits:
    """Assign the faces of the records to clips."""
    return _ResamplingUnits.assign_units(list(judgements.frames), ((box.clip, box.height) for box in judgements.boxes))


def _count_frames(judgements: Judgements) -> Counts:
    """Count the frames of each clip, the same in every slot."""
    return np.tile(np.array([list(judgements.frames.values())], dtype=np.float64).T, (1, _SLOT_COUNT))


def _mark_found(judgements: Judgements, sources: _BoxSources) -> NDArray[np.bool_]:
    return np.array([not face.found_by.isdisjoint(sources) for face in judgements.faces], dtype=np.bool_)


def _find_outcomes(judgements: Judgements, sources: _BoxSources) -> NDArray[np.int8]:
    """Return the highest outcome of each face of the records for any of the sources, -1 if none has a box there."""
    values = [max(box.outcomes.get(name, -1) for name in sources) for box in judgements.boxes]
    return np.array(values, dtype=np.int8)


def _compute_slot_rates(counts: Sequence[Counts], totals: Counts, judgements: Judgements) -> list[list[Rate]]:
    """Compute the rates of the slots of each array of counts, with the same totals.

    All are resampled together: the intervals then come from the same draws, and the costly product is made once.
    """
    criteria = judgements.criteria
    flat = compute_rates(
        np.hstack(counts),
        np.tile(totals, (1, len(counts))),
        confidence=criteria.confidence,
        resamples=criteria.resamples,
        seed=criteria.seed,
    )
    return [flat[start : start + _SLOT_COUNT] for start in range(0, len(flat), _SLOT_COUNT)]
