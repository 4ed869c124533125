"""Charts over the DataFrames of `engine.index`, in one look. No Streamlit.

Every point carries (run, frame, track) as its first custom data, so that a click can open that frame; a track that does
not apply is None. Hovering shows frame and time. What is drawn was downsampled where it was counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.evaluation.scores import DetectorScores, Evaluation, MissedFace, Scores
from engine.evaluation.text_table import SIZE_LABELS
from engine.statistics.capture_recapture import ESTIMATE_LABEL, RecaptureEstimate
from workbench.theme import palette

_FONT = "Source Sans, Source Sans Pro, sans-serif"
_MAX_NAME_CHARS = 20
"""Characters of a run's name beside an axis."""
_LANE_PX = 34
"""Pixels a lane is high."""
_LABEL_PX = 14
"""Pixels a label beside an axis needs; where lanes are lower, every second one has a label."""
_LABEL_MARGIN_PX, _LONG_LABEL_MARGIN_PX = 160, 196
"""Pixels to the left of charts over time: what is at one time is in one column in all of them."""
_LEGEND_ROW_PX = 19
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up")
"""How runs differ that are drawn over each other; detectors differ by colour."""
_HOVER_TIME = "frame %{customdata[1]}, %{customdata[3]}"


def build_config(name: str) -> dict[str, Any]:
    """What plotly shows around a chart: a button for a PNG, of that name, among others."""
    return {
        "displaylogo": False,
        "responsive": True,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": name},
    }


def draw_confidence(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """How sure each detector was over time: the mean as a line, the least sure sighting of each step as a point."""
    series, runs = _list_run_detectors(rows), list(dict.fromkeys(rows["run"]))
    figure = _create_figure(dark=dark, height_px=300 + _LEGEND_ROW_PX * -(-len(series) // 3), legend=True)
    for run, detector in series:
        part = rows[(rows["run"] == run) & (rows["detector"] == detector)]
        style = runs.index(run) % len(_DASHES)
        name, colour = _label_series(rows, run, detector), palette.get_detector_colour(detector)
        gapped = _insert_gaps(part)
        figure.add_scatter(
            x=_to_time_axis(gapped["seconds"]), y=gapped["mean"], mode="lines", name=name, legendgroup=name,
            line={"color": colour, "width": 1.5, "dash": _DASHES[style]}, hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=_to_time_axis(part["seconds"]), y=part["lowest"], mode="markers", name=name, legendgroup=name,
            showlegend=False,
            marker={"color": colour, "size": 4, "opacity": 0.85 if dark else 0.5, "symbol": _SYMBOLS[style]},
            customdata=_build_custom_data(part, "mean", "sightings"),
            hovertemplate=f"{name}: %{{y:.2f}} least sure<br>{_HOVER_TIME}<br>"
            "mean %{customdata[4]:.2f} of %{customdata[5]}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(title_text="score (0 to 1)", range=[0, 1.02])
    return _set_time_axis(figure)


def draw_disagreement(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """A lane for each detector: where it did not see what another saw, and in what share of the frames."""
    lanes = _list_run_detectors(rows)
    figure = _create_figure(dark=dark, height_px=80 + _LANE_PX * len(lanes), legend=False)
    for lane, (run, detector) in enumerate(lanes):
        part = rows[(rows["run"] == run) & (rows["detector"] == detector)]
        figure.add_bar(
            x=_to_time_axis(part["start_seconds"]), y=0.12 + 0.73 * part["share"], base=lane,
            width=_to_durations_ms(part),
            offset=0, marker={"color": palette.get_detector_colour(detector), "line": {"width": 0}},
            customdata=_build_custom_data(part, "seen_by", "lacking", "share"),
            hovertemplate=f"not seen by {detector}, seen by %{{customdata[4]}}<br>{_HOVER_TIME}<br>"
            "%{customdata[5]} sightings, %{customdata[6]:.0%} of the frames<extra></extra>",
        )  # fmt: skip
    names = [f"not seen by {_label_series(rows, run, detector, '<br>')}" for run, detector in lanes]
    figure.update_yaxes(
        title_text="share of frames",
        tickvals=[lane + 0.4 for lane in range(len(lanes))],
        ticktext=names,
        showgrid=False,
        range=[-0.1, len(lanes)],
    )
    figure.update_layout(barmode="overlay", bargap=0)
    return _set_time_axis(figure)


def draw_tracks(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """A bar for each track, coloured by where its boxes come from."""
    order = rows.groupby(["run", "track"])["start_seconds"].min().sort_values(kind="stable").index.tolist()
    place = {key: number for number, key in enumerate(order)}
    lane = max(12, min(_LANE_PX // 2, 900 // max(1, len(order))))
    figure = _create_figure(dark=dark, height_px=130 + lane * len(order), legend=True)
    for origin, colour in palette.ORIGIN_COLOURS.items():
        part = rows[rows["origin"] == origin]
        if part.empty:
            continue
        figure.add_bar(
            orientation="h", name=origin, y=[place[key] for key in zip(part["run"], part["track"], strict=True)],
            base=_to_time_axis(part["start_seconds"]), x=_to_durations_ms(part),
            width=0.8, marker={"color": colour, "line": _choose_edge(colour, dark=dark)},
            customdata=_build_custom_data(part.assign(seconds=part["start_seconds"]), "faces"),
            hovertemplate=f"track %{{customdata[2]}}, {origin}<br>from {_HOVER_TIME}<br>"
            "%{customdata[4]} frames<extra></extra>",
        )  # fmt: skip
    several = len(set(rows["run"])) > 1
    names = [f"{_shorten_run(run)} / {track}" if several else str(track) for run, track in order]
    labelled = list(range(0, len(names), 1 if lane >= _LABEL_PX else 2))
    figure.update_yaxes(
        title_text="run / track" if several else "track", tickvals=labelled, ticktext=[names[at] for at in labelled]
    )
    figure.update_yaxes(range=[len(order) - 0.4, -0.6], showgrid=False)
    figure.update_layout(barmode="overlay")
    return _set_time_axis(figure)


def draw_agreement(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Of what the detector of a row saw, the share that the one of a column saw too."""
    summed = _sum_shares(rows, ["detector", "other"])
    return _draw_matrix(summed, "detector", "other", dark=dark)


def draw_across_runs(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """As `agreement`, of detectors in different runs of one source."""
    named = rows.assign(
        detector=[
            f"{name}<br>{_shorten_to_suffix(run)}" for run, name in zip(rows["run"], rows["detector"], strict=True)
        ],
        other=[
            f"{name}<br>{_shorten_to_suffix(run)}" for run, name in zip(rows["other_run"], rows["other"], strict=True)
        ],
    )
    return _draw_matrix(named, "detector", "other", dark=dark)


def draw_scores(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """How sure the detectors were, as a histogram."""
    summed = _sum_counts(rows, ["detector", "low", "high"], "sightings")
    figure = _create_figure(dark=dark, height_px=300, legend=True)
    for detector, part in summed.groupby("detector"):
        figure.add_bar(
            x=(part["low"] + part["high"]) / 2, y=part["sightings"], name=detector,
            marker={"color": palette.get_detector_colour(str(detector)), "line": {"width": 0}},
            customdata=_build_custom_data(part, "low", "high"),
            hovertemplate=f"{detector}: %{{y}} sightings from %{{customdata[4]:.3f}} to %{{customdata[5]:.3f}}<br>"
            f"least sure: {_HOVER_TIME}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="score (0 to 1)")
    figure.update_yaxes(title_text="sightings", tickformat=",d")
    figure.update_layout(barmode="group", bargap=0.05)
    return figure


def draw_sizes(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """How high faces are, by where their boxes come from, as a histogram."""
    summed = _sum_counts(rows, ["origin", "low", "high"], "faces")
    figure = _create_figure(dark=dark, height_px=300, legend=True)
    steps = round(1 / math.log2(summed["high"].iloc[0] / summed["low"].iloc[0]))
    labels = _label_height_bins(summed, steps)
    for origin, colour in palette.ORIGIN_COLOURS.items():
        part = summed[summed["origin"] == origin]
        if part.empty:
            continue
        figure.add_bar(
            x=[labels[_find_bin(low, steps)] for low in part["low"]], y=part["faces"], name=origin,
            marker={"color": colour, "line": _choose_edge(colour, dark=dark)}, customdata=_build_custom_data(part),
            hovertemplate=f"{origin}: %{{y}} faces, %{{x}} px high<br>smallest: {_HOVER_TIME}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(
        title_text="height of the box (px)", type="category", categoryorder="array",
        categoryarray=list(labels.values()), range=[-0.5, len(labels) - 0.5],
    )  # fmt: skip
    figure.update_yaxes(title_text="faces in frames", tickformat=",d")
    figure.update_layout(barmode="stack", bargap=0.05)
    return figure


def _label_height_bins(summed: pd.DataFrame, steps: int) -> dict[int, str]:
    """What to call each bin of heights, in order, with those between that hold no face."""
    bins = range(_find_bin(summed["low"].min(), steps), _find_bin(summed["low"].max(), steps) + 1)
    return {number: f"{2 ** (number / steps):.0f}–{2 ** ((number + 1) / steps):.0f}" for number in bins}


def _find_bin(low: float, steps: int) -> int:
    """The number of the bin that begins there; there are `steps` to each doubling."""
    return round(steps * math.log2(low))


def draw_recall(evaluation: Evaluation, misses: Sequence[MissedFace], run: str, *, dark: bool = False) -> go.Figure:
    """Recall of the record and of each union of detectors, by size, with intervals; a click opens the largest miss."""
    subjects: list[tuple[str, Evaluation | DetectorScores]] = [("record", evaluation)]
    subjects += [(" + ".join(union.detectors), union) for union in evaluation.by_detectors]
    figure = _create_figure(dark=dark, height_px=150 + 30 * len(subjects), legend=True)
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
    """Those that had faces of that size to find."""
    found = [(name, subject.by_size[size]) for name, subject in subjects]
    return [(name, scores) for name, scores in found if scores.recall is not None]


def draw_missed(estimate: RecaptureEstimate, alone: pd.DataFrame, run: str, *, dark: bool = False) -> go.Figure:
    """Faces seen, and faces likely missed by every detector, by size; `alone` has an example frame for each size."""
    figure = _create_figure(dark=dark, height_px=240, legend=True)
    sizes_seen = {size: one for size, one in estimate.by_size.items() if one.missed is not None}
    labels = [SIZE_LABELS[size] for size in sizes_seen]
    custom = [list(_find_example(run, alone, size)) for size in sizes_seen]
    figure.add_bar(
        orientation="h", y=labels, x=[one.seen for one in sizes_seen.values()], name="seen by a detector",
        marker={"color": palette.BLUE}, customdata=custom,
        hovertemplate="%{x} seen<br>seen by one only, as in frame %{customdata[1]}, %{customdata[3]}<extra></extra>",
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
        hovertemplate="%{x:.0f} likely missed<br>seen by one only, as in frame %{customdata[1]}, %{customdata[3]}"
        "<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text="faces in frames", tickformat=",d")
    figure.update_yaxes(type="category", autorange="reversed")
    figure.update_layout(barmode="stack")
    return figure


def limit_time(figure: go.Figure, start: float, stop: float, *, several: bool = False) -> go.Figure:
    """The chart over that time in seconds, with as much room for labels as others, so that they line up."""
    figure.update_layout(margin_l=_LONG_LABEL_MARGIN_PX if several else _LABEL_MARGIN_PX)
    return figure.update_xaxes(range=[1000.0 * start, 1000.0 * stop])


def format_clock(seconds: float) -> str:
    """A time from the first frame as h:mm:ss.ff, as hovering shows it."""
    hours, rest = divmod(round(seconds * 100), 360_000)
    minutes, hundredths = divmod(rest, 6000)
    return f"{hours}:{minutes:02d}:{hundredths // 100:02d}.{hundredths % 100:02d}"


def _create_figure(*, dark: bool, height_px: int, legend: bool) -> go.Figure:
    """An empty chart in the look of all charts; the only place where the look is decided."""
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


def _set_time_axis(figure: go.Figure) -> go.Figure:
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


def _to_time_axis(seconds: pd.Series[float]) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """Seconds as points of a time axis, which plotly counts from 1970."""
    return (seconds.to_numpy(dtype=np.float64) * 1000.0).round().astype("datetime64[ms]")


def _build_custom_data(rows: pd.DataFrame, *more: str) -> list[list[Any]]:
    """Run, frame, track and time as text, then the columns that are named."""
    frames = rows["frame"].astype(object).where(rows["frame"].notna(), None)
    tracks = rows["track"].astype(object).where(rows["track"].notna(), None)
    times = [None if pd.isna(seconds) else format_clock(seconds) for seconds in rows["seconds"]]
    columns = [rows["run"], frames, tracks, times, *(rows[name] for name in more)]
    return [list(values) for values in zip(*columns, strict=True)]


def _insert_gaps(part: pd.DataFrame) -> pd.DataFrame:
    """The rows with an empty one wherever a step is missing, so that a line breaks there."""
    breaks = part[part["bucket"].diff() > 1].assign(mean=np.nan)
    return pd.concat([part, breaks.assign(bucket=breaks["bucket"] - 1)]).sort_values("bucket", kind="stable")


def _to_durations_ms(rows: pd.DataFrame) -> pd.Series[float]:
    """From start to stop: a time axis measures lengths in milliseconds."""
    return 1000.0 * (rows["stop_seconds"] - rows["start_seconds"])


def _list_run_detectors(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Runs and detectors that there are, in order."""
    return list(dict.fromkeys(zip(rows["run"], rows["detector"], strict=True)))


def _label_series(rows: pd.DataFrame, run: str, detector: str, between: str = ", ") -> str:
    return f"{detector}{between}{_shorten_run(run)}" if len(set(rows["run"])) > 1 else detector


def _shorten_run(run: str) -> str:
    """A run by its name without the time, when it is a run's name; the middle of a long one is left out."""
    parts = run.split("-")
    name = "-".join(parts[2:]) if len(parts) > 3 and parts[0].isdecimal() else run
    return name if len(name) <= _MAX_NAME_CHARS else f"{name[: _MAX_NAME_CHARS - 7]}…{name[-5:]}"


def _shorten_to_suffix(run: str) -> str:
    """The end of a run's name: runs of one source have it alone to themselves."""
    return f"…{run.rsplit('-', 1)[-1]}" if "-" in run else run


def _choose_edge(colour: str, *, dark: bool) -> dict[str, Any]:
    """The line around a bar: yellow does not stand out from white by itself."""
    pale = colour == palette.YELLOW and not dark
    return {"width": 1, "color": palette.get_chart_colours(dark=dark).muted} if pale else {"width": 0}


def _sum_shares(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Shares over several runs; the example is of the run in which most is lacking."""
    ordered = rows.assign(lacking=rows["sightings"] - rows["seen"]).sort_values("lacking", ascending=False)
    summed = ordered.groupby(keys, as_index=False).agg({
        "sightings": "sum", "seen": "sum", "run": "first", "frame": "first", "seconds": "first", "track": "first",
    })  # fmt: skip
    return summed.assign(share=summed["seen"] / summed["sightings"])


def _sum_counts(rows: pd.DataFrame, keys: list[str], count: str) -> pd.DataFrame:
    return rows.groupby(keys, as_index=False).agg({
        count: "sum", "run": "first", "frame": "first", "seconds": "first", "track": "first",
    })  # fmt: skip


def _draw_matrix(rows: pd.DataFrame, down: str, along: str, *, dark: bool) -> go.Figure:
    """A heat map whose cells can be clicked: plotly lets only points be chosen, so an unseen one lies on each cell."""
    names, others = sorted(set(rows[down])), sorted(set(rows[along]))
    figure = _create_figure(dark=dark, height_px=150 + 56 * len(names), legend=False)
    shares = rows.pivot_table(index=down, columns=along, values="share").reindex(index=names, columns=others)
    figure.add_heatmap(
        z=shares.to_numpy(), x=others, y=names, zmin=0, zmax=1, colorscale="Cividis", hoverinfo="skip",
        texttemplate="%{z:.0%}", xgap=2, ygap=2,
        colorbar={"title": {"text": "share", "font": {"size": 12}}, "tickformat": ".0%", "thickness": 12},
    )  # fmt: skip
    figure.add_scatter(
        x=rows[along], y=rows[down], mode="markers", marker={"symbol": "square", "size": 40, "opacity": 0.0},
        customdata=_build_custom_data(rows, "sightings", "seen"),
        hovertemplate="%{y} saw %{customdata[4]}, %{x} %{customdata[5]} of them<br>"
        f"surest it lacks: {_HOVER_TIME}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text="also seen by", type="category", showgrid=False, side="bottom", tickangle=0)
    figure.update_yaxes(title_text="seen by", type="category", showgrid=False, autorange="reversed")
    return figure


def _find_example(run: str, alone: pd.DataFrame, size: str) -> Iterator[Any]:
    found = alone[alone["size"] == size]
    yield run
    if found.empty:
        yield from (None, None, "none")
    else:
        first = found.iloc[0]
        yield from (int(first["frame"]), int(first["track"]), format_clock(float(first["seconds"])))
