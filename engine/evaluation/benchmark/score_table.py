"""Format the scores of a benchmark as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.evaluation.benchmark.scores import BenchmarkScore, CellScores
from engine.evaluation.text_table import align_columns

_HEADERS = ("", "frames", "covered", "faces", "covered", "tracks", "show", "false area", "mask/face")


def format_score(score: BenchmarkScore) -> str:
    """Format every cell, its kinds, and the cost."""
    rows = [_HEADERS, _format_row("all", score.overall)]
    for kind in score.kinds:
        cells = [cell for cell in score.cells if cell.kind == kind.kind]
        rows.append(_format_row(kind.kind, kind))
        if len(cells) > 1:
            rows += [_format_row(f"  {cell.value} {cell.resolution}", cell) for cell in cells]
    head = (
        f"{score.tool}, judged by {score.judged_by}: a face is covered when {score.least_hidden:.0%} of it is hidden; "
        "a frame when all its faces are; a track shows when any of its frames does"
    )
    return "\n".join([head, "", *align_columns(rows), "", *_format_cost(score)]).rstrip("\n")


def _format_row(label: str, scores: CellScores) -> Sequence[str]:
    return (
        label,
        str(scores.frames),
        _format_share(scores.frame_coverage),
        str(scores.faces),
        _format_share(scores.face_coverage),
        str(scores.tracks),
        str(scores.tracks - scores.tracks_covered),
        f"{scores.false_area:.2%}",
        "-" if scores.mask_ratio is None else f"{scores.mask_ratio:.2f}",
    )


def _format_share(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"


def _format_cost(score: BenchmarkScore) -> Iterator[str]:
    for resolution, cost in score.cost.items():
        yield (
            f"Cost at {resolution}: {1000 * cost.processor_s / cost.frames:.0f} ms of processor time and "
            f"{1000 * cost.wall_s / cost.frames:.0f} ms a frame ({cost.frames} frames, start included)"
        )
