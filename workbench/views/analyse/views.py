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
from engine.statistics.capture_recapture import RecaptureEstimate
from workbench import charts
from workbench.core import session
from workbench.core.formatting import escape_markdown, format_count
from workbench.views.analyse import filters, ground_truth
from workbench.views.analyse.panels import is_dark_theme, show_chart, show_table

_TIME_STEPS = 600
"""Steps over the chosen time: two pixels of a usual chart. A shorter time has finer ones."""
_POINT_STEPS = 400
"""Steps over the chosen time where each has a point, three pixels apart."""
_MAX_RUNS_DRAWN = 6
"""Runs that are drawn side by side over time; a table has all."""


def list_views() -> tuple[str, ...]:
    """The views, in order."""
    return tuple(_VIEWS)


def show(name: str, found: Index, selection: Selection) -> None:
    """Show one view; what the index cannot answer is said in a sentence."""
    try:
        _VIEWS[name](found, selection)
    except InputError as error:
        st.error(str(error))


def _show_over_time(found: Index, selection: Selection) -> None:
    drawn = _limit_runs(selection)
    stop = min(selection.stop, max(found.indexed_runs[run].seconds for run in drawn.runs))

    def limit_time(draw: Callable[..., go.Figure]) -> Callable[..., go.Figure]:
        several = len(drawn.runs) > 1
        return lambda rows, *, dark: charts.limit_time(draw(rows, dark=dark), selection.start, stop, several=several)

    sure = index.query_confidence(found, drawn, _POINT_STEPS // len(drawn.runs))
    meaning = "How sure each detector was: the line is the mean of each step of time, a point its least sure sighting."
    _show_chart_or_caption(sure, limit_time(charts.draw_confidence), "Confidence", meaning, selection)
    lacking = index.query_disagreement(found, drawn, _TIME_STEPS // max(2, len(drawn.runs)))
    if len({name for run in drawn.runs for name in found.indexed_runs[run].detectors}) < 2:
        st.markdown("**Disagreement**")
        st.caption("One detector alone cannot disagree. Detect the video in mode hybrid to compare two.")
    elif lacking.empty and not sure.empty:
        st.markdown("**Disagreement**")
        st.caption("The detectors saw the same, as far as the filters reach.")
    else:
        meaning = "Where a detector did not see a face that another saw; a full lane: in every frame of that step."
        _show_chart_or_caption(lacking, limit_time(charts.draw_disagreement), "Disagreement", meaning, selection)
    lanes = index.query_track_lanes(found, drawn, _TIME_STEPS)
    meaning = "One bar a track, coloured by where its boxes come from."
    _show_chart_or_caption(lanes, limit_time(charts.draw_tracks), "Tracks", meaning, selection)
    if not lanes.empty and lanes["of"].max() > len(set(zip(lanes["run"], lanes["track"], strict=True))):
        st.caption(f"The longest of {lanes['of'].max():,} tracks are shown; narrow the time to see others.")


def _show_agreement(found: Index, selection: Selection) -> None:
    rows = index.query_agreement(found, selection)
    left, right = st.columns(2, gap="large")
    with left:
        if rows.empty:
            st.markdown("**Agreement**")
            alone = len({name for run in selection.runs for name in found.indexed_runs[run].detectors}) < 2
            st.caption(
                "One detector alone: there is none to compare it with."
                if alone
                else "No detector saw a face, as far as the filters reach."
            )
        else:
            meaning = "Of what the detector of a row saw, how much the one of a column saw too."
            show_chart(charts.draw_agreement(rows, dark=is_dark_theme()), rows, "agreement", "Agreement", meaning)
    with right:
        _show_across_runs(found, selection)
    _show_missed(found, selection)


def _show_across_runs(found: Index, selection: Selection) -> None:
    run, named = selection.runs[0], filters.list_run_titles(found)
    others = index.find_runs_of_same_source(found, run)
    if not others:
        st.markdown("**Detector against detector, across runs**")
        st.caption(f"{named[run]} is the only run of its source. Detect it again with other detectors to compare.")
        return
    label = f"Compare {named[run]} with another run of the same source"
    other = st.selectbox(label, others, format_func=lambda one: named[one], key="analyse_other")
    rows = index.compare_runs(found, run, other, selection)
    title = "Detector against detector, across runs"
    if rows.empty:
        st.markdown(f"**{title}**")
        st.caption("In one of the two runs no face was seen, as far as the filters reach.")
    else:
        meaning = "Boxes of one frame that overlap at least 0.35 (IoU) are the same face."
        show_chart(charts.draw_across_runs(rows, dark=is_dark_theme()), rows, "across", title, meaning)


def _show_missed(found: Index, selection: Selection) -> None:
    st.markdown("**Missed by every detector, a likely lower bound**")
    st.caption(_LOWER_BOUND_TEXT)
    named = filters.list_run_titles(found)
    for run in _limit_runs(selection).runs:
        if len(found.indexed_runs[run].detectors) < 2:
            st.caption(
                f"**{escape_markdown(named[run])}**: an estimate needs two independent detectors; this run has one."
            )
            continue
        estimate = index.estimate_missed_in_run(found, run, selection)
        if estimate.missed is None:
            st.caption(f"**{escape_markdown(named[run])}**: no face was seen, so nothing can be estimated.")
            continue
        figure = charts.draw_missed(
            estimate, index.query_lone_detections(found, run, selection), run, dark=is_dark_theme()
        )
        st.caption(f"**{escape_markdown(named[run])}**")
        missed = round(estimate.missed)
        title = (
            f"At least {format_count(missed, 'face')} in frames likely missed"
            if missed
            else "No face estimated as missed"
        )
        meaning = f"{_LOWER_BOUND_TEXT} Method: {estimate.method.capitalize()}."
        show_chart(figure, _build_estimate_rows(estimate), f"missed-{run}", title, meaning)


_LOWER_BOUND_TEXT = (
    "Capture-recapture: detectors share blind spots, so the truth is likely higher. A face is one face in one frame."
)


def _build_estimate_rows(estimate: RecaptureEstimate) -> pd.DataFrame:
    whole = [("all sizes", estimate), *((SIZE_LABELS[size], one) for size, one in estimate.by_size.items())]
    rows = [
        (label, one.seen, one.alone, one.missed, *(one.missed_interval or (None, None)), one.found, one.units)
        for label, one in whole
    ]
    columns = ["size", "seen", "seen_by_one", "missed_likely_lower_bound", "low", "high", "found_share", "tracks"]
    return pd.DataFrame(rows, columns=columns)


def _show_distributions(found: Index, selection: Selection) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        rows = index.query_score_histogram(found, selection)
        meaning = "How sure the detectors were of what they saw."
        _show_chart_or_caption(rows, charts.draw_scores, "Scores", meaning, selection)
    with right:
        rows = index.query_size_histogram(found, selection)
        meaning = "How high the boxes are, by where they come from. Bins widen with the height."
        _show_chart_or_caption(rows, charts.draw_sizes, "Sizes", meaning, selection)


def _show_tables(found: Index, selection: Selection) -> None:
    asking: Mapping[str, Callable[..., pd.DataFrame]] = {
        "faces": index.query_faces,
        "evidence": index.query_evidence,
        "disagreements": index.query_lacking,
        "doubtful": index.query_doubtful,
        "frames": index.query_frames,
        "tracks": index.query_tracks,
        "runs": lambda found, _selection, limit: found.runs().head(limit),
    }
    label = "Table"
    chosen = st.segmented_control(
        label, list(asking), default="faces", key="analyse_table", label_visibility="collapsed"
    )
    name = chosen or "faces"
    rows = asking[name](found, selection, limit=_SHORT_HASH_CHARS)
    nothing = _NO_MATCH_TEXT if _has_filters(selection) else "There is nothing of this in what is chosen."
    show_table(rows, name, lambda: asking[name](found, selection, limit=_MAX_EXPORTED_ROWS), nothing)
    if len(rows) >= _SHORT_HASH_CHARS:
        st.caption(f"The first {_SHORT_HASH_CHARS:,} rows are shown; a file has up to {_MAX_EXPORTED_ROWS:,}.")


_SHORT_HASH_CHARS = 2_000
_MAX_EXPORTED_ROWS = 1_000_000


def _show_sql(found: Index, _selection: Selection) -> None:
    asking, schema = st.columns([5, 6], gap="large")
    with asking:
        st.caption("One SELECT over all indexed runs, whatever the filters, in DuckDB's SQL. It reads the index alone.")
        with st.form("analyse_sql", border=False):
            statement = st.text_area("SQL", _EXAMPLE_SQL, height=190, key="analyse_statement")
            asked = st.form_submit_button("Run", icon=":material/play_arrow:", type="primary")
        if asked:
            session.LAST_SQL.set(statement)
    with schema:
        table = st.selectbox("Schema of", [*index.TABLES, "runs"], key="analyse_schema")
        st.dataframe(_build_schema(found, table), hide_index=True, height=290)
    if kept := session.LAST_SQL.get():
        answer = index.run_sql(found, kept)
        if not answer.complete:
            st.caption(f"The first {len(answer.table):,} rows are shown; a file has no more.")
        show_table(answer.table, "answer", empty_text="The answer has no rows.")


_EXAMPLE_SQL = """SELECT run, detector, count(*) AS sightings, avg(score) AS mean_score
FROM evidence
WHERE height_px < 48
GROUP BY run, detector
ORDER BY run, detector"""


def _build_schema(found: Index, table: str) -> pd.DataFrame:
    if table == "runs":
        return pd.DataFrame({"column": found.list_runs().columns})
    rows = [(column.name, column.kind, column.meaning) for column in index.TABLES[table]]
    return pd.DataFrame(rows, columns=["column", "type", "meaning"])


def _limit_runs(selection: Selection) -> Selection:
    """The runs that can be drawn side by side."""
    if len(selection.runs) <= _MAX_RUNS_DRAWN:
        return selection
    st.caption(f"The first {_MAX_RUNS_DRAWN} of {len(selection.runs)} chosen runs are drawn here.")
    return replace(selection, runs=selection.runs[:_MAX_RUNS_DRAWN])


_NO_MATCH_TEXT = "Nothing matches the filters."


def _has_filters(selection: Selection) -> bool:
    return selection != Selection(runs=selection.runs)


def _show_chart_or_caption(
    rows: pd.DataFrame, draw: Callable[..., go.Figure], title: str, meaning: str, selection: Selection
) -> None:
    """A chart, whose files are called like its title, or why there is none."""
    if rows.empty:
        st.markdown(f"**{title}**")
        st.caption(_NO_MATCH_TEXT if _has_filters(selection) else "There is no face in what is chosen.")
    else:
        name = title.lower().replace(",", "").replace(" ", "-")
        show_chart(draw(rows, dark=is_dark_theme()), rows, name, title, meaning)


_VIEWS: Mapping[str, Callable[[Index, Selection], None]] = {
    "Over time": _show_over_time,
    "Agreement": _show_agreement,
    "Distributions": _show_distributions,
    "Ground truth": ground_truth.show,
    "Tables": _show_tables,
    "SQL": _show_sql,
}
