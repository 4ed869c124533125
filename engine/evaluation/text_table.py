"""An evaluation as a plain table for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.core.face_sizes import Interval
from engine.evaluation.scores import Evaluation, RecordScores, Scores, TrackScores

SIZE_LABELS = {"under_24": "under 24 px", "from_24_to_48": "24 to 48 px", "from_48": "48 px and more"}
_HEAD = ("", "faces", "recall", "coverage", "boxes", "precision", "false/frame")
_LISTED = 20
"""Exposures that are written out."""


def table(evaluation: Evaluation) -> str:
    """Lines of text: recall, coverage, precision and false boxes, each with its interval, then tracks that show."""
    lines = [
        _subject(evaluation),
        "",
        *_aligned([_HEAD, *_rows(evaluation)]),
        "",
        *_tracks(evaluation.tracks),
    ]
    if evaluation.unrecorded:
        lines.append(f"Left out for want of a record: {len(evaluation.unrecorded)} file(s).")
    return "\n".join(lines) + "\n"


def _subject(evaluation: Evaluation) -> str:
    criteria, style = evaluation.criteria, evaluation.style
    part = "" if criteria.centre == 1 else f", faces are the centre {criteria.centre:.0%} of the boxes marked"
    return (
        f"{evaluation.faces} faces in {evaluation.frames} frames; found at IoU {criteria.iou:g}, covered when "
        f"{criteria.hidden:.0%} lies under the mask ({style.shape}, scale {style.scale:g}){part}; "
        f"[{criteria.confidence:.0%} intervals]"
    )


def _rows(evaluation: Evaluation) -> Iterator[Sequence[str]]:
    yield _row("record", evaluation)
    for size, scores in evaluation.by_size.items():
        yield _row(f"  {SIZE_LABELS[size]}", scores)
    for union in evaluation.by_detectors:
        yield _row(" + ".join(union.detectors), union)
        for size, of_size in union.by_size.items():
            yield _row(f"  {SIZE_LABELS[size]}", of_size)


def _row(label: str, scores: Scores) -> Sequence[str]:
    coverage = _rate(scores.coverage, scores.coverage_interval) if isinstance(scores, RecordScores) else ""
    return (
        label,
        str(scores.faces),
        _rate(scores.recall, scores.recall_interval),
        coverage,
        str(scores.boxes),
        _rate(scores.precision, None),
        _rate(scores.false_per_frame, scores.false_per_frame_interval),
    )


def _rate(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if interval is None else f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, the others too, so that values with and without an interval begin alike."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _tracks(scores: TrackScores) -> Iterator[str]:
    if scores.tracks:
        rate = _rate(scores.coverage, scores.coverage_interval)
        yield f"Tracks never showing: {scores.covered} of {scores.tracks} ({rate})"
    if scores.untracked:
        yield f"Clips whose tracks are not told apart: {len(scores.untracked)}"
    for exposure in scores.exposures[:_LISTED]:
        track = f" track {exposure.track}" if exposure.track else ""
        between = ", covered before and after" if exposure.between else ""
        frames = f"frames {exposure.first} to {exposure.last} ({exposure.frames} labelled)"
        yield f"  shows: {exposure.clip}{track} {frames}{between}"
    if len(scores.exposures) > _LISTED:
        yield f"  and {len(scores.exposures) - _LISTED} more"
