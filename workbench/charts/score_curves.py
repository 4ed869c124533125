"""Precision over recall of detectors, as the score from which detections count falls."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from workbench.charts.figure import LEGEND_ROW_PX, create_figure
from workbench.theme import palette

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def draw_precision_recall(curves: pd.DataFrame, records: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Draw a line for each detector of each setup, and a circle for what its records mask.

    Args:
        curves: points with the columns runs, detector, score, recall, precision.
        records: one row for each setup with the columns runs, recall, precision.
        dark: whether the page is dark.
    """
    setups = list(dict.fromkeys([*records["runs"], *curves["runs"]]))
    lines = curves.groupby(["runs", "detector"], sort=False)
    figure = create_figure(dark=dark, height_px=400 + LEGEND_ROW_PX * (len(lines) + len(setups)), legend=True)
    for (setup, detector), points in lines:
        dash = _DASHES[setups.index(setup) % len(_DASHES)]
        figure.add_scatter(
            x=points["recall"], y=points["precision"], mode="lines+markers" if len(points) == 1 else "lines",
            name=f"{detector} ({setup})", line={"color": palette.get_detector_colour(str(detector)), "dash": dash},
            customdata=[[setup, None, None, score] for score in points["score"]], meta=f"{detector}",
            hovertemplate="%{meta} from score %{customdata[3]:.2f}"
            "<br>recall %{x:.3f}, precision %{y:.3f}<extra></extra>",
        )  # fmt: skip
    text = palette.get_chart_colours(dark=dark).text
    for number, setup in enumerate(setups, 1):
        one = records[records["runs"] == setup]
        figure.add_scatter(
            x=one["recall"], y=one["precision"], mode="markers+text", name=f"{number}: masks ({setup})",
            text=[str(number)] * len(one), textposition="top center",
            marker={"color": text, "size": 11, "symbol": "circle-open", "line": {"width": 2}},
            hovertemplate=f"masks of {setup}<br>recall %{{x:.3f}}, precision %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="recall", range=[-0.02, 1.02])
    figure.update_yaxes(title_text="precision", range=[-0.02, 1.05])
    figure.update_layout(legend={"orientation": "v", "x": 0, "y": -0.2, "yanchor": "top"})
    return figure
