"""Charts over the time of the video: confidence, disagreement and tracks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.charts.figure import (
    HOVER_TIME,
    LANE_PX,
    LEGEND_ROW_PX,
    build_custom_data,
    choose_edge,
    create_figure,
    set_time_axis,
    shorten_run,
    to_durations_ms,
    to_time_axis,
)
from workbench.theme import palette

_LABEL_PX = 14
"""Pixels a label beside an axis needs; where lanes are lower, every second lane has a label."""
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up")
"""How runs differ that are drawn over each other; detectors differ by colour."""


def draw_confidence(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Draw the scores of each detector over time: the mean as a line, the lowest score of each step as a point."""
    series, runs = _list_run_detectors(rows), list(dict.fromkeys(rows["run"]))
    figure = create_figure(dark=dark, height_px=300 + LEGEND_ROW_PX * -(-len(series) // 3), legend=True)
    for run, detector in series:
        part = rows[(rows["run"] == run) & (rows["detector"] == detector)]
        style = runs.index(run) % len(_DASHES)
        name, colour = _label_series(rows, run, detector), palette.get_detector_colour(detector)
        gapped = _insert_gaps(part)
        figure.add_scatter(
            x=to_time_axis(gapped["seconds"]), y=gapped["mean"], mode="lines", name=name, legendgroup=name,
            line={"color": colour, "width": 1.5, "dash": _DASHES[style]}, hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=to_time_axis(part["seconds"]), y=part["lowest"], mode="markers", name=name, legendgroup=name,
            showlegend=False,
            marker={"color": colour, "size": 4, "opacity": 0.85 if dark else 0.5, "symbol": _SYMBOLS[style]},
            customdata=build_custom_data(part, "mean", "detections"),
            hovertemplate=f"{name}: lowest score %{{y:.2f}}<br>{HOVER_TIME}<br>"
            "mean %{customdata[4]:.2f} of %{customdata[5]} detections<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(title_text="score (0 to 1)", range=[0, 1.02])
    return set_time_axis(figure)


def draw_disagreement(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Draw a lane for each detector: when it missed a face that another found, and in what share of the frames."""
    lanes = _list_run_detectors(rows)
    figure = create_figure(dark=dark, height_px=80 + LANE_PX * len(lanes), legend=False)
    for lane, (run, detector) in enumerate(lanes):
        part = rows[(rows["run"] == run) & (rows["detector"] == detector)]
        figure.add_bar(
            x=to_time_axis(part["start_seconds"]), y=0.12 + 0.73 * part["share"], base=lane,
            width=to_durations_ms(part),
            offset=0, marker={"color": palette.get_detector_colour(detector), "line": {"width": 0}},
            customdata=build_custom_data(part, "seen_by", "lacking", "share"),
            hovertemplate=f"missed by {detector}, found by %{{customdata[4]}}<br>{HOVER_TIME}<br>"
            "%{customdata[5]} detections, %{customdata[6]:.0%} of the frames<extra></extra>",
        )  # fmt: skip
    # In two lines, because the margin for the longest name is lost to the plot. A phone has little to lose.
    between = " " if len(set(rows["run"])) > 1 else "<br>"
    names = [f"missed by{between}{_label_series(rows, run, detector, '<br>')}" for run, detector in lanes]
    figure.update_yaxes(
        title_text="share of frames",
        tickvals=[lane + 0.4 for lane in range(len(lanes))],
        ticktext=names,
        showgrid=False,
        range=[-0.1, len(lanes)],
    )
    figure.update_layout(barmode="overlay", bargap=0)
    return set_time_axis(figure)


def draw_tracks(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Draw a bar for each track, coloured by the origin of its faces."""
    order = rows.groupby(["run", "track"])["start_seconds"].min().sort_values(kind="stable").index.tolist()
    place = {key: number for number, key in enumerate(order)}
    lane = max(12, min(LANE_PX // 2, 900 // max(1, len(order))))
    figure = create_figure(dark=dark, height_px=130 + lane * len(order), legend=True)
    for origin, colour in palette.ORIGIN_COLOURS.items():
        part = rows[rows["origin"] == origin]
        if part.empty:
            continue
        figure.add_bar(
            orientation="h", name=origin, y=[place[key] for key in zip(part["run"], part["track"], strict=True)],
            base=to_time_axis(part["start_seconds"]), x=to_durations_ms(part),
            width=0.8, marker={"color": colour, "line": choose_edge(colour, dark=dark)},
            customdata=build_custom_data(part.assign(seconds=part["start_seconds"]), "faces"),
            hovertemplate=f"track %{{customdata[2]}}, {origin}<br>from {HOVER_TIME}<br>"
            "%{customdata[4]} frames<extra></extra>",
        )  # fmt: skip
    several = len(set(rows["run"])) > 1
    names = [f"{shorten_run(run)} / {track}" if several else str(track) for run, track in order]
    labelled = list(range(0, len(names), 1 if lane >= _LABEL_PX else 2))
    figure.update_yaxes(
        title_text="run / track" if several else "track", tickvals=labelled, ticktext=[names[at] for at in labelled]
    )
    figure.update_yaxes(range=[len(order) - 0.4, -0.6], showgrid=False)
    figure.update_layout(barmode="overlay")
    return set_time_axis(figure)


def _insert_gaps(part: pd.DataFrame) -> pd.DataFrame:
    """Insert an empty row wherever a step is missing, so that the line breaks there."""
    breaks = part[part["bucket"].diff() > 1].assign(mean=np.nan)
    return pd.concat([part, breaks.assign(bucket=breaks["bucket"] - 1)]).sort_values("bucket", kind="stable")


def _list_run_detectors(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """List each pair of run and detector once, in order."""
    return list(dict.fromkeys(zip(rows["run"], rows["detector"], strict=True)))


def _label_series(rows: pd.DataFrame, run: str, detector: str, between: str = ", ") -> str:
    return f"{detector}{between}{shorten_run(run)}" if len(set(rows["run"])) > 1 else detector
