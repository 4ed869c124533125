"""Matrices of detectors against detectors, within a run and across two runs of one source."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from workbench.charts.figure import (
    HOVER_TIME,
    build_custom_data,
    create_figure,
)


def draw_agreement(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Draw which share of the faces found by the detector of a row the detector of a column found too."""
    summed = _sum_shares(rows, ["detector", "other"])
    return _draw_matrix(summed, "detector", "other", dark=dark)


def draw_across_runs(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Draw the same for detectors in two runs of one source."""
    named = rows.assign(
        detector=[
            f"{name}<br>{_shorten_to_suffix(run)}" for run, name in zip(rows["run"], rows["detector"], strict=True)
        ],
        other=[
            f"{name}<br>{_shorten_to_suffix(run)}" for run, name in zip(rows["other_run"], rows["other"], strict=True)
        ],
    )
    return _draw_matrix(named, "detector", "other", dark=dark)


def _draw_matrix(rows: pd.DataFrame, down: str, along: str, *, dark: bool) -> go.Figure:
    """Draw a heat map with clickable cells: plotly selects only points, so each cell has an invisible one."""
    names, others = sorted(set(rows[down])), sorted(set(rows[along]))
    figure = create_figure(dark=dark, height_px=150 + 56 * len(names), legend=False)
    shares = rows.pivot_table(index=down, columns=along, values="share").reindex(index=names, columns=others)
    figure.add_heatmap(
        z=shares.to_numpy(), x=others, y=names, zmin=0, zmax=1, colorscale="Cividis", hoverinfo="skip",
        texttemplate="%{z:.0%}", xgap=2, ygap=2,
        colorbar={"title": {"text": "share", "font": {"size": 12}}, "tickformat": ".0%", "thickness": 12},
    )  # fmt: skip
    figure.add_scatter(
        x=rows[along], y=rows[down], mode="markers", marker={"symbol": "square", "size": 40, "opacity": 0.0},
        customdata=build_custom_data(rows, "detections", "seen"),
        hovertemplate="%{y} found %{customdata[4]}, %{x} %{customdata[5]} of them<br>"
        f"highest score that was missed: {HOVER_TIME}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text="also found by", type="category", showgrid=False, side="bottom", tickangle=0)
    figure.update_yaxes(title_text="found by", type="category", showgrid=False, autorange="reversed")
    return figure


def _sum_shares(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Sum the shares over several runs; the example comes from the run in which most faces are missing."""
    ordered = rows.assign(lacking=rows["detections"] - rows["seen"]).sort_values("lacking", ascending=False)
    summed = ordered.groupby(keys, as_index=False).agg({
        "detections": "sum", "seen": "sum", "run": "first", "frame": "first", "seconds": "first", "track": "first",
    })  # fmt: skip
    return summed.assign(share=summed["seen"] / summed["detections"])


def _shorten_to_suffix(run: str) -> str:
    """Return the end of a run identifier, which tells runs of one source apart."""
    return f"…{run.rsplit('-', 1)[-1]}" if "-" in run else run
