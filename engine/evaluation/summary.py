"""Figures from findings: recall, precision, false boxes and coverage, by size, by detector and by track."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.core.face_sizes import SIZES
from engine.evaluation.ground_truth import Truth
from engine.evaluation.judgements import RECORD, Criteria, Findings, Outcome, examine
from engine.evaluation.scores import DetectorScores, Evaluation, Miss, RecordScores, Scores
from engine.evaluation.track_continuity import score_tracks
from engine.masking.style import Style
from engine.record import Record
from engine.statistics.bootstrap import Counts, Rate, rates, share


def evaluate(
    truth: Truth,
    records: Mapping[str, Record],
    criteria: Criteria | None = None,
    style: Style | None = None,
    *,
    partial: bool = False,
) -> Evaluation:
    """Examine records and sum up; arguments and errors are those of `engine.evaluation.judgements.examine`."""
    return summarise(examine(truth, records, criteria, style, partial=partial))


def worst(
    findings: Findings, limit: int | None = None, fault: Literal["missed", "uncovered"] = "missed"
) -> tuple[Miss, ...]:
    """Truth faces that went wrong, the largest first: what is largest is recognised most easily.

    Args:
        findings: what was examined.
        limit: how many at most; None for all.
        fault: "missed" by the record's faces, or left "uncovered" by the masks.
    """
    misses = (
        Miss(
            face.file, face.frame, face.truth.box, round(face.truth.box.height, 2), RECORD in face.found_by, face.hidden
        )
        for face in findings.faces
        if (RECORD not in face.found_by if fault == "missed" else not face.covered)
    )
    return tuple(sorted(misses, key=lambda miss: (-miss.height, miss.file, miss.frame, miss.box.left)))[:limit]


def summarise(findings: Findings) -> Evaluation:
    """The figures of findings."""
    unions = _unions(findings.detectors)
    own, *others = _scores(findings, [(RECORD,), *unions])
    overall, *by_size = (_with_coverage(*pair) for pair in zip(own, _coverage(findings), strict=True))
    return Evaluation(
        **msgspec.structs.asdict(overall),
        criteria=findings.criteria,
        style=findings.style,
        by_size=dict(zip(SIZES, by_size, strict=True)),
        by_detectors=tuple(_of_detectors(union, slots) for union, slots in zip(unions, others, strict=True)),
        tracks=score_tracks(findings),
        unrecorded=findings.unrecorded,
    )


_Subject = tuple[str, ...]
"""Whose boxes are looked at: `RECORD`, or detectors."""
_SLOTS = 1 + len(SIZES)
"""Figures are made over all sizes, then for each size."""


def _unions(detectors: Sequence[str]) -> list[_Subject]:
    """Each detector alone, each pair, and all of them."""
    numbers = sorted({1, 2, len(detectors)})
    return [union for number in numbers for union in combinations(detectors, number) if union]


def _scores(findings: Findings, subjects: Sequence[_Subject]) -> list[list[Scores]]:
    """For each subject, one for each slot."""
    units, clips = _face_units(findings), _box_units(findings)
    recall = _rates([units.count(_found(findings, subject)) for subject in subjects], units.count(), findings)
    outcomes = [_outcomes(findings, subject) for subject in subjects]
    per_frame = _rates([clips.count(outcome == Outcome.FALSE) for outcome in outcomes], _frames(findings), findings)
    hits = [clips.count(outcome == Outcome.HIT).sum(axis=0) for outcome in outcomes]
    return [
        [_slot(*slot) for slot in zip(*of_subject, strict=True)]
        for of_subject in zip(recall, per_frame, hits, strict=True)
    ]


def _slot(recall: Rate, per_frame: Rate, hits: float) -> Scores:
    boxes = int(hits) + per_frame.count
    return Scores(
        faces=recall.total,
        found=recall.count,
        recall=recall.value,
        recall_interval=recall.interval,
        boxes=boxes,
        false_boxes=per_frame.count,
        precision=share(hits, boxes),
        frames=per_frame.total,
        false_per_frame=per_frame.value,
        false_per_frame_interval=per_frame.interval,
    )


def _coverage(findings: Findings) -> list[Rate]:
    """One for each slot."""
    units = _face_units(findings)
    covered = np.array([face.covered for face in findings.faces], dtype=np.bool_)
    return _rates([units.count(covered)], units.count(), findings)[0]


def _with_coverage(scores: Scores, coverage: Rate) -> RecordScores:
    return RecordScores(
        **msgspec.structs.asdict(scores),
        covered=coverage.count,
        coverage=coverage.value,
        coverage_interval=coverage.interval,
    )


def _of_detectors(detectors: _Subject, slots: Sequence[Scores]) -> DetectorScores:
    overall, *by_size = slots
    return DetectorScores(
        **msgspec.structs.asdict(overall), detectors=detectors, by_size=dict(zip(SIZES, by_size, strict=True))
    )


@dataclass(frozen=True, slots=True)
class _Units:
    """Things to count: to which unit of resampling each belongs (by number) and of which size it is."""

    number: int
    unit: NDArray[np.intp]
    size: NDArray[np.intp]

    @classmethod
    def of(cls, units: Sequence[Hashable], things: Iterable[tuple[Hashable, float]]) -> _Units:
        """From all units there are, and for each thing its unit and its height in pixels."""
        place = {unit: number for number, unit in enumerate(units)}
        rows = [(place[unit], height) for unit, height in things]
        starts = [least for least, _ in SIZES.values()]
        heights = np.array([height for _, height in rows], dtype=np.float64)
        size = np.searchsorted(starts, heights, side="right") - 1
        return cls(len(place), np.array([unit for unit, _ in rows], dtype=np.intp), size)

    def count(self, chosen: NDArray[np.bool_] | None = None) -> Counts:
        """How many things (of the chosen ones) are in each unit (row) and slot (column)."""
        chosen = np.ones(len(self.unit), dtype=np.bool_) if chosen is None else chosen
        of_size = [
            np.bincount(self.unit[chosen & (self.size == size)], minlength=self.number) for size in range(len(SIZES))
        ]
        return np.stack([sum(of_size), *of_size], axis=1).astype(np.float64)


def _face_units(findings: Findings) -> _Units:
    """Truth faces by image or track."""
    keys = [(face.clip, face.truth.track) for face in findings.faces]
    heights = (face.truth.box.height for face in findings.faces)
    return _Units.of(list(dict.fromkeys(keys)), zip(keys, heights, strict=True))


def _box_units(findings: Findings) -> _Units:
    """Faces of the records by clip."""
    return _Units.of(list(findings.frames), ((box.clip, box.height) for box in findings.boxes))


def _frames(findings: Findings) -> Counts:
    """Frames of each clip, the same in every slot."""
    return np.tile(np.array([list(findings.frames.values())], dtype=np.float64).T, (1, _SLOTS))


def _found(findings: Findings, subject: _Subject) -> NDArray[np.bool_]:
    return np.array([not face.found_by.isdisjoint(subject) for face in findings.faces], dtype=np.bool_)


def _outcomes(findings: Findings, subject: _Subject) -> NDArray[np.int8]:
    """The highest outcome of each face of the records for any of the subject, -1 where none of it saw that face."""
    values = [max(box.outcomes.get(name, -1) for name in subject) for box in findings.boxes]
    return np.array(values, dtype=np.int8)


def _rates(counts: Sequence[Counts], totals: Counts, findings: Findings) -> list[list[Rate]]:
    """For each array of counts, the rates of its slots; all with the same totals, resampled together."""
    criteria = findings.criteria
    flat = rates(
        np.hstack(counts),
        np.tile(totals, (1, len(counts))),
        confidence=criteria.confidence,
        resamples=criteria.resamples,
        seed=criteria.seed,
    )
    return [flat[start : start + _SLOTS] for start in range(0, len(flat), _SLOTS)]
