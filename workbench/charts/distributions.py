"""Histograms of scores and of the heights of faces."""

from __future__ import annotations

import math

import pandas as pd
import plotly.graph_objects as go

from workbench.charts.figure import (
    HOVER_TIME,
    build_custom_data,
    choose_edge,
    create_figure,
)
from workbench.theme import palette

_BAR_GAP = 0.05
"""Share of a bin that is left empty beside its bars."""


def draw_scores(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Draw a histogram of the scores of each detector."""
    summed = _sum_counts(rows, ["detector", "low", "high"], "detections")
    figure = create_figure(dark=dark, height_px=300, legend=True)
    by_detector = list(summed.groupby("detector"))
    # Given, because plotly takes the distance of the bins that it sees for their width: two bins would fill the chart.
    width = (1 - _BAR_GAP) * (summed["high"].iloc[0] - summed["low"].iloc[0]) / len(by_detector)
    for place, (detector, part) in enumerate(by_detector):
        figure.add_bar(
            x=(part["low"] + part["high"]) / 2, y=part["detections"], name=detector,
            width=width, offset=(place - len(by_detector) / 2) * width,
            marker={"color": palette.get_detector_colour(str(detector)), "line": {"width": 0}},
            customdata=build_custom_data(part, "low", "high"),
            hovertemplate=f"{detector}: %{{y}} detections from %{{customdata[4]:.3f}} to %{{customdata[5]:.3f}}<br>"
            f"lowest score: {HOVER_TIME}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="score (0 to 1)", range=[0, 1])
    figure.update_yaxes(title_text="detections", tickformat=",d")
    return figure


def draw_sizes(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Draw a histogram of face heights by origin."""
    summed = _sum_counts(rows, ["origin", "low", "high"], "faces")
    figure = create_figure(dark=dark, height_px=300, legend=True)
    steps = round(1 / math.log2(summed["high"].iloc[0] / summed["low"].iloc[0]))
    labels = _label_height_bins(summed, steps)
    for origin, colour in palette.ORIGIN_COLOURS.items():
        part = summed[summed["origin"] == origin]
        if part.empty:
            continue
        figure.add_bar(
            x=[labels[_find_bin(low, steps)] for low in part["low"]], y=part["faces"], name=origin,
            marker={"color": colour, "line": choose_edge(colour, dark=dark)}, customdata=build_custom_data(part),
            hovertemplate=f"{origin}: %{{y}} faces, %{{x}} px high<br>smallest: {HOVER_TIME}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(
        title_text="face height (px)", type="category", categoryorder="array",
        categoryarray=list(labels.values()), range=[-0.5, len(labels) - 0.5],
    )  # fmt: skip
    figure.update_yaxes(title_text="faces in frames", tickformat=",d")
    figure.update_layout(barmode="stack", bargap=_BAR_GAP)
    return figure


def _label_height_bins(summed: pd.DataFrame, steps: int) -> dict[int, str]:
    """Label each bin of heights in order, also empty bins in between."""
    bins = range(_find_bin(summed["low"].min(), steps), _find_bin(summed["low"].max(), steps) + 1)
    return {number: f"{2 ** (number / steps):.0f}–{2 ** ((number + 1) / steps):.0f}" for number in bins}


def _find_bin(low: float, steps: int) -> int:
    """Return the number of the bin that begins at `low`; each doubling has `steps` bins."""
    return round(steps * math.log2(low))


def _sum_counts(rows: pd.DataFrame, keys: list[str], count: str) -> pd.DataFrame:
    return rows.groupby(keys, as_index=False).agg({
        count: "sum", "run": "first", "frame": "first", "seconds": "first", "track": "first",
    })  # fmt: skip
