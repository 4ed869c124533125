"""The look that all charts share: layout, time axis, labels, and what each point carries for a click."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.theme import palette

_FONT = "Source Sans, Source Sans Pro, sans-serif"
_MAX_NAME_CHARS = 20
"""Characters of a run's name beside an axis."""
LANE_PX = 34
"""Height of a lane in pixels."""
LEGEND_ROW_PX = 19
"""Height of one row of the legend in pixels."""
_LABEL_MARGIN_PX, _LONG_LABEL_MARGIN_PX = 116, 196
"""Pixels to the left of charts over time: all of them have the same margin, so that their times line up."""
HOVER_TIME = "frame %{customdata[1]}, %{customdata[3]}"
"""Part of a hover text that names the frame and its time; it reads what `build_custom_data` puts there."""


def build_config(name: str) -> dict[str, Any]:
    """Return the plotly configuration of a chart; `name` is the file name of a PNG."""
    return {
        "displaylogo": False,
        "responsive": True,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": name},
    }


def limit_time(figure: go.Figure, start: float, stop: float, *, several: bool = False) -> go.Figure:
    """Limit the time axis to `start` to `stop` seconds; the left margin is the same for all charts that line up."""
    figure.update_layout(margin_l=_LONG_LABEL_MARGIN_PX if several else _LABEL_MARGIN_PX)
    return figure.update_xaxes(range=[1000.0 * start, 1000.0 * stop])


def format_clock(seconds: float) -> str:
    """Format seconds from the first frame as h:mm:ss.ff, as the hover text shows them."""
    hours, rest = divmod(round(seconds * 100), 360_000)
    minutes, hundredths = divmod(rest, 6000)
    return f"{hours}:{minutes:02d}:{hundredths // 100:02d}.{hundredths % 100:02d}"


def create_figure(*, dark: bool, height_px: int, legend: bool) -> go.Figure:
    """Create an empty chart. No other function sets colours or fonts of the layout."""
    look = palette.get_chart_colours(dark=dark)
    font = {"color": look.text, "family": _FONT}
    axis = {
        "gridcolor": look.grid, "linecolor": look.grid, "zeroline": False, "automargin": True,
        "title": {"font": {"size": 12, "color": look.muted}, "standoff": 8}, "tickfont": {"size": 12},
    }  # fmt: skip
    return go.Figure(
        layout={
            "template": "none", "height": height_px, "showlegend": legend, "clickmode": "event+select",
            "paper_bgcolor": look.background, "plot_bgcolor": look.background,
            "font": {**font, "size": 13},
            "margin": {"l": 8, "r": 12, "t": 34 if legend else 10, "b": 8}, "separators": ".,",
            "xaxis": axis, "yaxis": axis, "hovermode": "closest",
            "legend": {
                "orientation": "h", "traceorder": "normal", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12},
            },
            "hoverlabel": {"bgcolor": look.background, "bordercolor": look.muted, "font": {**font, "size": 12}},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": look.muted, "activecolor": look.text},
        }
    )  # fmt: skip


def set_time_axis(figure: go.Figure) -> go.Figure:
    """Make the x axis a time of day from 0:00:00, with milliseconds only where ticks are closer than a second."""
    figure.update_layout(margin_l=_LABEL_MARGIN_PX)
    figure.update_yaxes(automargin=False)
    figure.update_xaxes(
        title_text="time (h:min:s)", type="date", hoverformat="%H:%M:%S.%L",
        tickformatstops=[
            {"dtickrange": [None, 999], "value": "%-H:%M:%S.%L"},
            {"dtickrange": [1000, None], "value": "%-H:%M:%S"},
        ],
    )  # fmt: skip
    return figure


def to_time_axis(seconds: pd.Series[float]) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """Convert seconds to points of a plotly time axis, which counts from 1970."""
    return (seconds.to_numpy(dtype=np.float64) * 1000.0).round().astype("datetime64[ms]")


def build_custom_data(rows: pd.DataFrame, *more: str) -> list[list[Any]]:
    """Return for each row its run, frame, track and time as text, then the columns in `more`."""
    frames = rows["frame"].astype(object).where(rows["frame"].notna(), None)
    tracks = rows["track"].astype(object).where(rows["track"].notna(), None)
    times = [None if pd.isna(seconds) else format_clock(seconds) for seconds in rows["seconds"]]
    columns = [rows["run"], frames, tracks, times, *(rows[name] for name in more)]
    return [list(values) for values in zip(*columns, strict=True)]


def to_durations_ms(rows: pd.DataFrame) -> pd.Series[float]:
    """Return the durations of the rows in milliseconds, the unit of lengths on a time axis."""
    return 1000.0 * (rows["stop_seconds"] - rows["start_seconds"])


def shorten_run(run: str) -> str:
    """Shorten a run identifier for an axis: drop its date and time, then cut the middle of a long name."""
    parts = run.split("-")
    name = "-".join(parts[2:]) if len(parts) > 3 and parts[0].isdecimal() else run
    return name if len(name) <= _MAX_NAME_CHARS else f"{name[: _MAX_NAME_CHARS - 7]}…{name[-5:]}"


def choose_edge(colour: str, *, dark: bool) -> dict[str, Any]:
    """Return the outline of a bar. Only yellow on white needs one."""
    pale = colour == palette.YELLOW and not dark
    return {"width": 1, "color": palette.get_chart_colours(dark=dark).muted} if pale else {"width": 0}
