"""The views of Analyse: each asks the index, draws, and offers what it drew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from engine.analysis import index
from engine.analysis.index import Index, Selection
from engine.analysis.recapture import Recapture
from engine.analysis.table import SIZE_LABELS
from engine.errors import InputError
from workbench import charts, session, truthview
from workbench.panels import dark, grid, plot

_STEPS = 600
"""Steps over the chosen time: two pixels of a usual chart. A shorter time has finer ones."""
_POINTS = 400
"""Steps over the chosen time where each has a point, three pixels apart."""
_LINES = 6
"""Runs that are drawn side by side over time; a table has all."""


def names() -> tuple[str, ...]:
    """The views, in order."""
    return tuple(_VIEWS)


def show(name: str, found: Index, selection: Selection) -> None:
    """Show one view; what the index cannot answer is said in a sentence."""
    try:
        _VIEWS[name](found, selection)
    except InputError as error:
        st.error(str(error))


def _over_time(found: Index, selection: Selection) -> None:
    drawn = _few(selection)
    stop = min(selection.stop, max(found.indexed[run].seconds for run in drawn.runs))

    def over(draw: Callable[..., go.Figure]) -> Callable[..., go.Figure]:
        return lambda rows, *, dark: charts.within(draw(rows, dark=dark), selection.start, stop)

    sure = index.confidence(found, drawn, _POINTS // len(drawn.runs))
    _or_nothing(
        sure, over(charts.confidence), "confidence", "Confidence", "How sure each detector was; points: the least sure."
    )
    lacking = index.disagreement(found, drawn, _STEPS // max(2, len(drawn.runs)))
    if len({name for run in drawn.runs for name in found.indexed[run].detectors}) < 2:
        st.info("One detector alone cannot disagree. Detect the video in mode hybrid to compare two.")
    elif lacking.empty:
        st.markdown("**Disagreement**")
        st.caption("The detectors saw the same wherever the filters reach.")
    else:
        title, meaning = (
            "Disagreement",
            "Where a detector did not see a face that another saw; height: share of frames.",
        )
        _or_nothing(lacking, over(charts.disagreement), "disagreement", title, meaning)
    lanes = index.lanes(found, drawn, _STEPS)
    _or_nothing(
        lanes, over(charts.tracks), "tracks", "Tracks", "One bar a track, coloured by where its boxes come from."
    )
    if not lanes.empty and lanes["of"].max() > len(set(zip(lanes["run"], lanes["track"], strict=True))):
        st.caption(f"The longest of {lanes['of'].max():,} tracks are shown; narrow the time to see others.")


def _agreement(found: Index, selection: Selection) -> None:
    rows = index.agreement(found, selection)
    left, right = st.columns(2, gap="large")
    with left:
        if rows.empty:
            st.info("There is nothing to compare: fewer than two detectors looked, or the filters leave nothing.")
        else:
            meaning = "Of what the detector of a row saw, how much the one of a column saw too."
            plot(charts.agreement(rows, dark=dark()), rows, "agreement", "Agreement", meaning)
    with right:
        _across(found, selection)
    _missed(found, selection)


def _across(found: Index, selection: Selection) -> None:
    run = selection.runs[0]
    others = index.same_source(found, run)
    st.markdown("**Across runs of the same source**")
    if not others:
        st.info("The first chosen run is the only one of its source. Detect it again with other detectors to compare.")
        return
    other = st.selectbox("Compare the first chosen run with", others, key="analyse_other")
    rows = index.across(found, run, other, selection)
    if rows.empty:
        st.caption("Nothing matches the filters.")
    else:
        meaning = "Boxes of one frame that overlap at least 0.35 (IoU) are the same face."
        plot(charts.across(rows, dark=dark()), rows, "across", "Detector against detector", meaning)


def _missed(found: Index, selection: Selection) -> None:
    for run in _few(selection).runs:
        if len(found.indexed[run].detectors) < 2:
            st.info(f"{run}: an estimate of missed faces needs two independent detectors; this run has one.")
            continue
        estimate = index.missed(found, run, selection)
        if estimate.missed is None:
            st.caption(f"{run}: no face was seen in this selection, so nothing can be estimated.")
            continue
        rows = _estimates(estimate)
        figure = charts.missed(estimate, index.alone(found, run, selection), run, dark=dark())
        title = f"Missed by every detector, a likely lower bound: {estimate.missed:,.0f} faces in frames"
        meaning = (
            "Capture-recapture, a likely lower bound: detectors share blind spots, so the truth is likely higher. "
            "A face is one face in one frame."
        )
        plot(figure, rows, f"missed-{run}", title, meaning)
        st.caption(f"{meaning} Method: {estimate.method.capitalize()}.")


def _estimates(estimate: Recapture) -> pd.DataFrame:
    whole = [("all sizes", estimate), *((SIZE_LABELS[size], one) for size, one in estimate.by_size.items())]
    rows = [
        (label, one.seen, one.alone, one.missed, *(one.missed_interval or (None, None)), one.found, one.units)
        for label, one in whole
    ]
    columns = ["size", "seen", "seen_by_one", "missed_likely_lower_bound", "low", "high", "found_share", "tracks"]
    return pd.DataFrame(rows, columns=columns)


def _distributions(found: Index, selection: Selection) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        rows = index.scores(found, selection)
        _or_nothing(rows, charts.scores, "scores", "Scores", "How sure the detectors were of what they saw.")
    with right:
        rows = index.sizes(found, selection)
        _or_nothing(rows, charts.sizes, "sizes", "Sizes", "How high the boxes are, by where they come from.")


def _tables(found: Index, selection: Selection) -> None:
    asking: Mapping[str, Callable[..., pd.DataFrame]] = {
        "faces": index.faces,
        "evidence": index.evidence,
        "doubtful": index.doubtful,
        "frames": index.frames,
        "tracks": index.tracks,
        "runs": lambda found, _selection, limit: found.runs().head(limit),
    }
    label = "Table"
    chosen = st.segmented_control(
        label, list(asking), default="faces", key="analyse_table", label_visibility="collapsed"
    )
    name = chosen or "faces"
    rows = asking[name](found, selection, limit=_SHOWN)
    grid(rows, name, lambda: asking[name](found, selection, limit=_EXPORTED))
    if len(rows) >= _SHOWN:
        st.caption(f"The first {_SHOWN:,} rows are shown; a file has up to {_EXPORTED:,}.")


_SHOWN = 2_000
_EXPORTED = 1_000_000


def _question(found: Index, _selection: Selection) -> None:
    asking, schema = st.columns([3, 2], gap="large")
    with asking:
        st.caption("One SELECT over all indexed runs, in DuckDB's SQL. It reads the index and can do nothing else.")
        with st.form("analyse_sql", border=False):
            statement = st.text_area("SQL", _EXAMPLE, height=170, key="analyse_statement")
            asked = st.form_submit_button("Run", icon=":material/play_arrow:", type="primary")
        if asked:
            session.QUESTION.set(statement)
        if kept := session.QUESTION.get():
            answer = index.ask(found, kept)
            if not answer.complete:
                st.caption(f"The first {len(answer.table):,} rows are shown.")
            grid(answer.table, "answer")
    with schema:
        table = st.selectbox("Schema of", [*index.TABLES, "runs"], key="analyse_schema")
        st.dataframe(_schema(found, table), hide_index=True, height=380)


_EXAMPLE = """SELECT run, detector, count(*) AS sightings, avg(score) AS mean_score
FROM evidence
WHERE height_px < 48
GROUP BY run, detector
ORDER BY run, detector"""


def _schema(found: Index, table: str) -> pd.DataFrame:
    if table == "runs":
        return pd.DataFrame({"column": found.runs().columns})
    rows = [(column.name, column.kind, column.meaning) for column in index.TABLES[table]]
    return pd.DataFrame(rows, columns=["column", "type", "meaning"])


def _few(selection: Selection) -> Selection:
    """The runs that can be drawn side by side."""
    if len(selection.runs) <= _LINES:
        return selection
    st.caption(f"The first {_LINES} of {len(selection.runs)} chosen runs are drawn here.")
    return replace(selection, runs=selection.runs[:_LINES])


def _or_nothing(rows: pd.DataFrame, draw: Callable[..., go.Figure], name: str, title: str, meaning: str) -> None:
    if rows.empty:
        st.markdown(f"**{title}**")
        st.caption("Nothing matches the filters.")
    else:
        plot(draw(rows, dark=dark()), rows, name, title, meaning)


_VIEWS: Mapping[str, Callable[[Index, Selection], None]] = {
    "Over time": _over_time,
    "Agreement": _agreement,
    "Distributions": _distributions,
    "Ground truth": truthview.show,
    "Tables": _tables,
    "SQL": _question,
}
