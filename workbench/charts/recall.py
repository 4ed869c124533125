"""Faces that were missed: recall against ground truth, and the estimate where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.evaluation.scores import DetectorScores, Evaluation, MissedFace, Scores
from engine.evaluation.text_table import SIZE_LABELS
from engine.statistics.capture_recapture import ESTIMATE_LABEL, RecaptureEstimate
from workbench.charts.figure import (
    create_figure,
    format_clock,
)
from workbench.theme import palette

_HOVER_EXAMPLE = "found by one only, for example in frame %{customdata[1]}, %{customdata[3]}"


def draw_recall(evaluation: Evaluation, misses: Sequence[MissedFace], run: str, *, dark: bool = False) -> go.Figure:
    """Draw recall of the record and of each union of detectors by face size, with intervals.

    A click opens the largest missed face.
    """
    subjects: list[tuple[str, Evaluation | DetectorScores]] = [("record", evaluation)]
    subjects += [(" + ".join(union.detectors), union) for union in evaluation.by_detectors]
    figure = create_figure(dark=dark, height_px=150 + 30 * len(subjects), legend=True)
    worst = [run, misses[0].frame if misses else None, None]
    colours = dict(zip(SIZE_LABELS, (palette.VERMILLION, palette.ORANGE, palette.BLUE), strict=True))
    for size, label in SIZE_LABELS.items():
        rows = _select_size(subjects, size)
        values = [one.recall or 0.0 for _, one in rows]
        ends = [one.recall_interval or (value, value) for (_, one), value in zip(rows, values, strict=True)]
        figure.add_scatter(
            orientation="h", x=values, y=[name for name, _ in rows], name=label, mode="markers",
            marker={"color": colours[size], "size": 9},
            error_x={
                "type": "data", "symmetric": False, "thickness": 1.2,
                "array": [high - value for value, (_, high) in zip(values, ends, strict=True)],
                "arrayminus": [value - low for value, (low, _) in zip(values, ends, strict=True)],
            },
            customdata=[[*worst, one.found, one.faces] for _, one in rows],
            hovertemplate=f"%{{y}}, {label}: %{{x:.3f}}<br>%{{customdata[3]}} of %{{customdata[4]}} faces"
            "<br>largest miss: frame %{customdata[1]}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="recall (share of the faces in the truth that were found)", range=[-0.02, 1.02])
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_layout(scattermode="group")
    return figure


def _select_size(subjects: Iterable[tuple[str, Evaluation | DetectorScores]], size: str) -> list[tuple[str, Scores]]:
    """Return the scores of the subjects for which the truth has faces of that size."""
    found = [(name, subject.by_size[size]) for name, subject in subjects]
    return [(name, scores) for name, scores in found if scores.recall is not None]


def draw_missed(estimate: RecaptureEstimate, alone: pd.DataFrame, run: str, *, dark: bool = False) -> go.Figure:
    """Draw the faces found and the faces likely missed by every detector, by size.

    Args:
        estimate: the estimate of a run.
        alone: faces that only one detector found; the first of each size is the example that a click opens.
        run: the run.
        dark: whether the page is dark.
    """
    figure = create_figure(dark=dark, height_px=240, legend=True)
    sizes_seen = {size: one for size, one in estimate.by_size.items() if one.missed is not None}
    labels = [SIZE_LABELS[size] for size in sizes_seen]
    custom = [list(_find_example(run, alone, size)) for size in sizes_seen]
    figure.add_bar(
        orientation="h", y=labels, x=[one.seen for one in sizes_seen.values()], name="found by a detector",
        marker={"color": palette.BLUE}, customdata=custom,
        hovertemplate=f"%{{x}} found<br>{_HOVER_EXAMPLE}<extra></extra>",
    )  # fmt: skip
    ends = [one.missed_interval or (one.missed, one.missed) for one in sizes_seen.values()]
    values = [one.missed or 0.0 for one in sizes_seen.values()]
    figure.add_bar(
        orientation="h", y=labels, x=values, name=f"missed by all, {ESTIMATE_LABEL}",
        marker={"color": palette.VERMILLION},
        error_x={
            "type": "data", "symmetric": False, "thickness": 1.2, "color": palette.get_chart_colours(dark=dark).text,
            "array": [max(0.0, (high or 0.0) - value) for value, (_, high) in zip(values, ends, strict=True)],
            "arrayminus": [max(0.0, value - (low or 0.0)) for value, (low, _) in zip(values, ends, strict=True)],
        },
        customdata=custom,
        hovertemplate=f"%{{x:.0f}} likely missed<br>{_HOVER_EXAMPLE}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text="faces in frames", tickformat=",d")
    figure.update_yaxes(type="category", autorange="reversed")
    figure.update_layout(barmode="stack")
    return figure


def _find_example(run: str, alone: pd.DataFrame, size: str) -> Iterator[Any]:
    found = alone[alone["size"] == size]
    yield run
    if found.empty:
        yield from (None, None, "none")
    else:
        first = found.iloc[0]
        yield from (int(first["frame"]), int(first["track"]), format_clock(float(first["seconds"])))
