"""Format an evaluation as a text table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.core.face_sizes import Interval
from engine.evaluation.scores import Evaluation, RecordScores, Scores, TrackScores

SIZE_LABELS = {"under_24": "under 24 px", "from_24_to_48": "24 to 48 px", "from_48": "48 px and more"}
_COLUMN_HEADERS = ("", "faces", "recall", "coverage", "boxes", "precision", "false/frame")
_MAX_LISTED_EXPOSURES = 20
"""Number of exposures that are listed."""


def format_table(evaluation: Evaluation) -> str:
    """Format recall, coverage, precision and false boxes, each with its interval, then the tracks that show."""
    lines = [
        _describe_evaluation(evaluation),
        "",
        *align_columns([_COLUMN_HEADERS, *_format_rows(evaluation)]),
        "",
        *_format_area(evaluation),
        *_format_tracks(evaluation.tracks),
    ]
    if evaluation.unrecorded:
        lines.append(f"Left out because they have no record: {len(evaluation.unrecorded)} file(s).")
    return "\n".join(lines) + "\n"


def _describe_evaluation(evaluation: Evaluation) -> str:
    criteria, style = evaluation.criteria, evaluation.style
    part = "" if criteria.centre == 1 else f", faces are the centre {criteria.centre:.0%} of the boxes marked"
    return (
        f"{evaluation.faces} faces in {evaluation.frames} frames; found at IoU {criteria.iou:g}, covered when "
        f"{criteria.hidden:.0%} lies under the mask ({style.shape}, scale {style.scale:g}){part}; "
        f"[{criteria.confidence:.0%} intervals]"
    )


def _format_rows(evaluation: Evaluation) -> Iterator[Sequence[str]]:
    yield _format_row("record", evaluation)
    for size, scores in evaluation.by_size.items():
        yield _format_row(f"  {SIZE_LABELS[size]}", scores)
    for union in evaluation.by_detectors:
        yield _format_row(" + ".join(union.detectors), union)
        for size, of_size in union.by_size.items():
            yield _format_row(f"  {SIZE_LABELS[size]}", of_size)


def _format_row(label: str, scores: Scores) -> Sequence[str]:
    coverage = _format_rate(scores.coverage, scores.coverage_interval) if isinstance(scores, RecordScores) else ""
    return (
        label,
        str(scores.faces),
        _format_rate(scores.recall, scores.recall_interval),
        coverage,
        str(scores.boxes),
        _format_rate(scores.precision, None),
        _format_rate(scores.false_per_frame, scores.false_per_frame_interval),
    )


def _format_rate(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if interval is None else f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"


def align_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align all columns to the left, so that values with and without an interval start at the same place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _format_area(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.mask_area_ratio is not None:
        yield f"Area of masks over area of heads: {evaluation.mask_area_ratio:.2f}"


def _format_tracks(scores: TrackScores) -> Iterator[str]:
    if scores.tracks:
        rate = _format_rate(scores.coverage, scores.coverage_interval)
        yield f"Tracks never showing: {scores.covered} of {scores.tracks} ({rate})"
    if scores.untracked:
        yield f"Clips without track numbers: {len(scores.untracked)}"
    for exposure in scores.exposures[:_MAX_LISTED_EXPOSURES]:
        track = f" track {exposure.track}" if exposure.track else ""
        between = ", covered before and after" if exposure.between else ""
        frames = f"frames {exposure.first} to {exposure.last} ({exposure.frames} labelled)"
        yield f"  shows: {exposure.clip}{track} {frames}{between}"
    if len(scores.exposures) > _MAX_LISTED_EXPOSURES:
        yield f"  and {len(scores.exposures) - _MAX_LISTED_EXPOSURES} more"
