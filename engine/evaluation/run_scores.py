"""Score runs against ground truth: runs with the same settings are judged together over all their clips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from engine.errors import InputError
from engine.evaluation.ground_truth import Truth
from engine.evaluation.judgements import Criteria, judge_records
from engine.evaluation.score_curves import CurvePoint, compute_score_curves
from engine.evaluation.scores import Evaluation, MissedFace, Scores
from engine.evaluation.summary import find_worst_misses, summarise
from engine.record import Document, Record

_MAX_MISSES = 500


class RunScores(Document, frozen=True):
    """The judgement of runs with the same settings.

    Attributes:
        evaluation: Their scores over all their clips.
        misses: The largest missed faces.
        curves: For each detector, precision and recall over its score.
    """

    evaluation: Evaluation
    misses: tuple[MissedFace, ...]
    curves: Mapping[str, tuple[CurvePoint, ...]]


def merge_truths(truths: Sequence[Truth]) -> Truth:
    """Return the clips of several tables as one truth.

    Raises:
        InputError: Two tables describe the same file.
    """
    owners: dict[str, str] = {}
    for truth in truths:
        for clip in truth.clips:
            if clip.name in owners:
                raise InputError(f"{owners[clip.name]} and {truth.name} both describe {clip.name}; leave one out.")
            owners[clip.name] = truth.name
    name = ", ".join(truth.name for truth in truths)
    columns = tuple(dict.fromkeys(column for truth in truths for column in truth.columns))
    return Truth(name, tuple(clip for truth in truths for clip in truth.clips), columns)


def score_runs(truth: Truth, records: Mapping[str, Record], criteria: Criteria | None = None) -> RunScores:
    """Judge the records of runs with the same settings, by name of the clip; other clips are left out.

    Raises:
        InputError: A record cannot be of its clip.
    """
    part = msgspec.structs.replace(truth, clips=tuple(clip for clip in truth.clips if clip.name in records))
    judgements = judge_records(part, records, criteria)
    return RunScores(
        summarise(judgements),
        find_worst_misses(judgements, _MAX_MISSES),
        compute_score_curves(part, records, criteria),
    )


def find_clip(source_name: str, clips: Iterable[str]) -> str | None:
    """Find the clip of a truth that a source file is, by its name; None if there is none, or several might be it."""
    names = tuple(clips)
    file = PurePosixPath(source_name)
    for matches in (
        [name for name in names if PurePosixPath(name).name == file.name],
        [name for name in names if PurePosixPath(name).stem == file.stem],
    ):
        if len(matches) == 1:
            return matches[0]
    return None


def compute_f1(scores: Scores) -> float | None:
    """Return the harmonic mean of recall and precision; None if one of them is unknown."""
    if scores.recall is None or scores.precision is None:
        return None
    both = scores.recall + scores.precision
    return 2 * scores.recall * scores.precision / both if both else 0.0
