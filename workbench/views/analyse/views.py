"""The views of Analyse: each asks the index, draws, and offers what it drew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from engine import index
from engine.errors import InputError
from engine.evaluation.text_table import SIZE_LABELS
from engine.index import Index, Selection
from engine.statistics.capture_recapture import Recapture
from workbench.charts import plots
from workbench.core import session
from workbench.core.formatting import count, plain
from workbench.views.analyse import filters, ground_truth
from workbench.views.analyse.panels import dark, grid, plot

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
        several = len(drawn.runs) > 1
        return lambda rows, *, dark: plots.within(draw(rows, dark=dark), selection.start, stop, several=several)

    sure = index.confidence(found, drawn, _POINTS // len(drawn.runs))
    meaning = "How sure each detector was: the line is the mean of each step of time, a point its least sure sighting."
    _or_nothing(sure, over(plots.confidence), "Confidence", meaning, selection)
    lacking = index.disagreement(found, drawn, _STEPS // max(2, len(drawn.runs)))
    if len({name for run in drawn.runs for name in found.indexed[run].detectors}) < 2:
        st.markdown("**Disagreement**")
        st.caption("One detector alone cannot disagree. Detect the video in mode hybrid to compare two.")
    elif lacking.empty and not sure.empty:
        st.markdown("**Disagreement**")
        st.caption("The detectors saw the same, as far as the filters reach.")
    else:
        meaning = "Where a detector did not see a face that another saw; a full lane: in every frame of that step."
        _or_nothing(lacking, over(plots.disagreement), "Disagreement", meaning, selection)
    lanes = index.lanes(found, drawn, _STEPS)
    meaning = "One bar a track, coloured by where its boxes come from."
    _or_nothing(lanes, over(plots.tracks), "Tracks", meaning, selection)
    if not lanes.empty and lanes["of"].max() > len(set(zip(lanes["run"], lanes["track"], strict=True))):
        st.caption(f"The longest of {lanes['of'].max():,} tracks are shown; narrow the time to see others.")


def _agreement(found: Index, selection: Selection) -> None:
    rows = index.agreement(found, selection)
    left, right = st.columns(2, gap="large")
    with left:
        if rows.empty:
            st.markdown("**Agreement**")
            alone = len({name for run in selection.runs for name in found.indexed[run].detectors}) < 2
            st.caption(
                "One detector alone: there is none to compare it with."
                if alone
                else "No detector saw a face, as far as the filters reach."
            )
        else:
            meaning = "Of what the detector of a row saw, how much the one of a column saw too."
            plot(plots.agreement(rows, dark=dark()), rows, "agreement", "Agreement", meaning)
    with right:
        _across(found, selection)
    _missed(found, selection)


def _across(found: Index, selection: Selection) -> None:
    run, named = selection.runs[0], filters.titles(found)
    others = index.same_source(found, run)
    if not others:
        st.markdown("**Detector against detector, across runs**")
        st.caption(f"{named[run]} is the only run of its source. Detect it again with other detectors to compare.")
        return
    label = f"Compare {named[run]} with another run of the same source"
    other = st.selectbox(label, others, format_func=lambda one: named[one], key="analyse_other")
    rows = index.across(found, run, other, selection)
    title = "Detector against detector, across runs"
    if rows.empty:
        st.markdown(f"**{title}**")
        st.caption("In one of the two runs no face was seen, as far as the filters reach.")
    else:
        meaning = "Boxes of one frame that overlap at least 0.35 (IoU) are the same face."
        plot(plots.across(rows, dark=dark()), rows, "across", title, meaning)


def _missed(found: Index, selection: Selection) -> None:
    st.markdown("**Missed by every detector, a likely lower bound**")
    st.caption(_LOWER_BOUND)
    named = filters.titles(found)
    for run in _few(selection).runs:
        if len(found.indexed[run].detectors) < 2:
            st.caption(f"**{plain(named[run])}**: an estimate needs two independent detectors; this run has one.")
            continue
        estimate = index.missed(found, run, selection)
        if estimate.missed is None:
            st.caption(f"**{plain(named[run])}**: no face was seen, so nothing can be estimated.")
            continue
        figure = plots.missed(estimate, index.alone(found, run, selection), run, dark=dark())
        st.caption(f"**{plain(named[run])}**")
        missed = round(estimate.missed)
        title = f"At least {count(missed, 'face')} in frames likely missed" if missed else "No face estimated as missed"
        meaning = f"{_LOWER_BOUND} Method: {estimate.method.capitalize()}."
        plot(figure, _estimates(estimate), f"missed-{run}", title, meaning)


_LOWER_BOUND = (
    "Capture-recapture: detectors share blind spots, so the truth is likely higher. A face is one face in one frame."
)


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
        meaning = "How sure the detectors were of what they saw."
        _or_nothing(rows, plots.scores, "Scores", meaning, selection)
    with right:
        rows = index.sizes(found, selection)
        meaning = "How high the boxes are, by where they come from. Bins widen with the height."
        _or_nothing(rows, plots.sizes, "Sizes", meaning, selection)


def _tables(found: Index, selection: Selection) -> None:
    asking: Mapping[str, Callable[..., pd.DataFrame]] = {
        "faces": index.faces,
        "evidence": index.evidence,
        "disagreements": index.lacking,
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
    nothing = _FILTERED if _filtered(selection) else "There is nothing of this in what is chosen."
    grid(rows, name, lambda: asking[name](found, selection, limit=_EXPORTED), nothing)
    if len(rows) >= _SHOWN:
        st.caption(f"The first {_SHOWN:,} rows are shown; a file has up to {_EXPORTED:,}.")


_SHOWN = 2_000
_EXPORTED = 1_000_000


def _question(found: Index, _selection: Selection) -> None:
    asking, schema = st.columns([5, 6], gap="large")
    with asking:
        st.caption("One SELECT over all indexed runs, whatever the filters, in DuckDB's SQL. It reads the index alone.")
        with st.form("analyse_sql", border=False):
            statement = st.text_area("SQL", _EXAMPLE, height=190, key="analyse_statement")
            asked = st.form_submit_button("Run", icon=":material/play_arrow:", type="primary")
        if asked:
            session.QUESTION.set(statement)
    with schema:
        table = st.selectbox("Schema of", [*index.TABLES, "runs"], key="analyse_schema")
        st.dataframe(_schema(found, table), hide_index=True, height=290)
    if kept := session.QUESTION.get():
        answer = index.ask(found, kept)
        if not answer.complete:
            st.caption(f"The first {len(answer.table):,} rows are shown; a file has no more.")
        grid(answer.table, "answer", nothing="The answer has no rows.")


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


_FILTERED = "Nothing matches the filters."


def _filtered(selection: Selection) -> bool:
    return selection != Selection(runs=selection.runs)


def _or_nothing(
    rows: pd.DataFrame, draw: Callable[..., go.Figure], title: str, meaning: str, selection: Selection
) -> None:
    """A chart, whose files are called like its title, or why there is none."""
    if rows.empty:
        st.markdown(f"**{title}**")
        st.caption(_FILTERED if _filtered(selection) else "There is no face in what is chosen.")
    else:
        name = title.lower().replace(",", "").replace(" ", "-")
        plot(draw(rows, dark=dark()), rows, name, title, meaning)


_VIEWS: Mapping[str, Callable[[Index, Selection], None]] = {
    "Over time": _over_time,
    "Agreement": _agreement,
    "Distributions": _distributions,
    "Ground truth": ground_truth.show,
    "Tables": _tables,
    "SQL": _question,
}
