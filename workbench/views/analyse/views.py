"""The views of the Analyse page. Each queries the index and shows charts or tables with exports."""

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
from workbench.core import formatting
from workbench.core.formatting import escape_markdown
from workbench.views.analyse import differences, filters, ground_truth, sql_view
from workbench.views.analyse.panels import is_dark_theme, show_chart, show_table

_TIME_STEPS = 600
"""Time steps of a chart: about two pixels each. A shorter selection has finer steps."""
_POINT_STEPS = 400
"""Time steps of a chart that draws a point for each: about three pixels each."""
_ACROSS_RUNS_TITLE = "Detectors compared across two runs"
_MAX_RUNS_DRAWN = 6
"""Most runs that are drawn in one chart; tables have all."""


def list_views() -> tuple[str, ...]:
    """List the views in order."""
    return tuple(_VIEWS)


def show(name: str, run_index: Index, selection: Selection) -> None:
    """Show one view, or an error if the index cannot answer its query."""
    try:
        _VIEWS[name](run_index, selection)
    except InputError as error:
        st.error(formatting.escape_markdown(str(error)))


def _show_over_time(run_index: Index, selection: Selection) -> None:
    drawn = _limit_runs(selection)
    stop = min(selection.stop, max(run_index.indexed_runs[run].seconds for run in drawn.runs))

    def limit_time(draw: Callable[..., go.Figure]) -> Callable[..., go.Figure]:
        several = len(drawn.runs) > 1
        return lambda rows, *, dark: charts.limit_time(draw(rows, dark=dark), selection.start, stop, several=several)

    # The runs share the width of the chart, and so its steps.
    confidence = index.query_confidence(run_index, drawn, _POINT_STEPS // len(drawn.runs))
    help_text = "The scores of each detector: the line is the mean of each time step, each point its lowest score."
    _show_chart_or_caption(confidence, limit_time(charts.draw_confidence), "Confidence", help_text, selection)
    disagreement = index.query_disagreement(run_index, drawn, _TIME_STEPS // max(2, len(drawn.runs)))
    if len({name for run in drawn.runs for name in run_index.indexed_runs[run].detectors}) < 2:
        st.markdown("**Disagreement**")
        st.caption("This needs two detectors. Detect the video in Hybrid mode to compare them.")
    elif disagreement.empty and not confidence.empty:
        st.markdown("**Disagreement**")
        st.caption("The detectors agree in everything that is selected.")
    else:
        help_text = (
            "When a detector missed a face that another one found. A full lane means in every frame of that step."
        )
        _show_chart_or_caption(disagreement, limit_time(charts.draw_disagreement), "Disagreement", help_text, selection)
    lanes = index.query_track_lanes(run_index, drawn, _TIME_STEPS)
    help_text = "One bar per track, coloured by the origin of its boxes."
    _show_chart_or_caption(lanes, limit_time(charts.draw_tracks), "Tracks", help_text, selection)
    if not lanes.empty and lanes["of"].max() > len(set(zip(lanes["run"], lanes["track"], strict=True))):
        st.caption(f"Only the longest of {lanes['of'].max():,} tracks are shown. Narrow the time to see others.")


def _show_agreement(run_index: Index, selection: Selection) -> None:
    rows = index.query_agreement(run_index, selection)
    left, right = st.columns(2, gap="large")
    with left:
        if rows.empty:
            st.markdown("**Agreement**")
            alone = len({name for run in selection.runs for name in run_index.indexed_runs[run].detectors}) < 2
            st.caption(
                "This run has one detector. Agreement needs two."
                if alone
                else "No detector found a face in what is selected."
            )
        else:
            meaning = "Of the faces that the row's detector found, the share that the column's detector found too."
            show_chart(charts.draw_agreement(rows, dark=is_dark_theme()), rows, "agreement", "Agreement", meaning)
    with right:
        _show_across_runs(run_index, selection)
    _show_missed(run_index, selection)


def _show_across_runs(run_index: Index, selection: Selection) -> None:
    run, titles = selection.runs[0], filters.list_run_titles(run_index)
    others = index.find_runs_of_same_source(run_index, run)
    if not others:
        st.markdown(f"**{_ACROSS_RUNS_TITLE}**")
        st.caption(
            f"{escape_markdown(titles[run])} is the only run of its source. Detect the source again with other "
            "detectors to compare them."
        )
        return
    label = f"Compare {escape_markdown(titles[run])} with another run of the same source"
    other = st.selectbox(label, others, format_func=lambda run_id: titles[run_id], key="analyse_other")
    rows = index.compare_runs(run_index, run, other, selection)
    title = _ACROSS_RUNS_TITLE
    if rows.empty:
        st.markdown(f"**{title}**")
        st.caption("One of the two runs has no face in what is selected.")
    else:
        meaning = "Boxes of the same frame with an overlap (IoU) of at least 0.35 count as the same face."
        show_chart(charts.draw_across_runs(rows, dark=is_dark_theme()), rows, "across", title, meaning)


def _show_missed(run_index: Index, selection: Selection) -> None:
    st.markdown("**Missed by every detector (likely lower bound)**")
    st.caption(_LOWER_BOUND_TEXT)
    titles = filters.list_run_titles(run_index)
    for run in _limit_runs(selection).runs:
        if len(run_index.indexed_runs[run].detectors) < 2:
            st.caption(
                f"**{escape_markdown(titles[run])}**: the estimate needs two independent detectors. This run has one."
            )
            continue
        estimate = index.estimate_missed_in_run(run_index, run, selection)
        if estimate.missed is None:
            st.caption(f"**{escape_markdown(titles[run])}**: no face was found, so nothing can be estimated.")
            continue
        figure = charts.draw_missed(
            estimate, index.query_lone_detections(run_index, run, selection), run, dark=is_dark_theme()
        )
        st.caption(f"**{escape_markdown(titles[run])}**")
        missed = round(estimate.missed)
        title = f"Estimated missed detections: {f'at least {missed:,}' if missed else 'none'}"
        meaning = f"{_LOWER_BOUND_TEXT} Method: {estimate.method.capitalize()}."
        show_chart(figure, _build_estimate_rows(estimate), f"missed-{run}", title, meaning)


_LOWER_BOUND_TEXT = (
    "Estimated by capture-recapture. Detectors share blind spots, so the true number is likely higher. A face is "
    "counted once in each frame."
)


def _build_estimate_rows(estimate: RecaptureEstimate) -> pd.DataFrame:
    subjects = [
        ("all sizes", estimate),
        *((SIZE_LABELS[size], part) for size, part in estimate.by_size.items()),
    ]
    rows = [
        (label, part.seen, part.alone, part.missed, *(part.missed_interval or (None, None)), part.found, part.units)
        for label, part in subjects
    ]
    columns = ["size", "seen", "seen_by_one", "missed_likely_lower_bound", "low", "high", "found_share", "tracks"]
    return pd.DataFrame(rows, columns=columns)


def _show_distributions(run_index: Index, selection: Selection) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        rows = index.query_score_histogram(run_index, selection)
        meaning = "The scores of all detections."
        _show_chart_or_caption(rows, charts.draw_scores, "Scores", meaning, selection)
    with right:
        rows = index.query_size_histogram(run_index, selection)
        meaning = "Face heights by origin of the box. Bins widen with the height."
        _show_chart_or_caption(rows, charts.draw_sizes, "Sizes", meaning, selection)


def _show_tables(run_index: Index, selection: Selection) -> None:
    queries: Mapping[str, Callable[..., pd.DataFrame]] = {
        "faces": index.query_faces,
        "evidence": index.query_evidence,
        "disagreements": index.query_lacking,
        "doubtful": index.query_doubtful,
        "frames": index.query_frames,
        "tracks": index.query_tracks,
        "runs": lambda run_index, selection, limit: run_index.list_runs(selection).drop(columns="name").head(limit),
    }
    name = st.segmented_control(
        "Table", list(queries), default="faces", required=True, key="analyse_table", label_visibility="collapsed"
    )
    names = filters.list_run_titles(run_index)

    def load(limit: int) -> pd.DataFrame:
        return sql_view.add_names(queries[name](run_index, selection, limit=limit), names)

    rows = load(_MAX_SHOWN_ROWS)
    nothing = _NO_MATCH_TEXT if _has_filters(selection) else "The chosen runs have no such rows."
    show_table(rows, name, lambda: load(_MAX_EXPORTED_ROWS), nothing)
    if len(rows) >= _MAX_SHOWN_ROWS:
        st.caption(f"The first {_MAX_SHOWN_ROWS:,} rows are shown. Exported files have up to {_MAX_EXPORTED_ROWS:,}.")


_MAX_SHOWN_ROWS = 2_000
_MAX_EXPORTED_ROWS = 1_000_000


def _limit_runs(selection: Selection) -> Selection:
    """Limit the selection to the runs that one chart has room for."""
    if len(selection.runs) <= _MAX_RUNS_DRAWN:
        return selection
    st.caption(f"Only the first {_MAX_RUNS_DRAWN} of {len(selection.runs)} chosen runs are drawn.")
    return replace(selection, runs=selection.runs[:_MAX_RUNS_DRAWN])


_NO_MATCH_TEXT = "Nothing matches the filters."


def _has_filters(selection: Selection) -> bool:
    return selection != Selection(runs=selection.runs)


def _show_chart_or_caption(
    rows: pd.DataFrame, draw: Callable[..., go.Figure], title: str, meaning: str, selection: Selection
) -> None:
    """Show a chart, whose files are named after its title, or say why there is none."""
    if rows.empty:
        st.markdown(f"**{title}**")
        st.caption(_NO_MATCH_TEXT if _has_filters(selection) else "The chosen runs have no face.")
    else:
        name = title.lower().replace(",", "").replace(" ", "-")
        show_chart(draw(rows, dark=is_dark_theme()), rows, name, title, meaning)


_VIEWS: Mapping[str, Callable[[Index, Selection], None]] = {
    "Over time": _show_over_time,
    "Agreement": _show_agreement,
    "Differences": differences.show,
    "Distributions": _show_distributions,
    "Ground truth": ground_truth.show,
    "Tables": _show_tables,
    "SQL": sql_view.show,
}
