"""Charts and tables with their exports; choosing a point or a row opens its frame in Review."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from workbench import charts
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import to_streamlit_page
from workbench.views.analyse import exports


def is_dark_theme() -> bool:
    """Return True if the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def show_chart(figure: go.Figure, rows: pd.DataFrame, name: str, title: str, help_text: str) -> None:
    """Show a chart with its title and exports; a click on a point opens its frame in Review."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{title}**", help=help_text, width="content")
        exports.show_chart_exports(figure, rows, name)
    # No theme of Streamlit: the charts bring colours of their own, which keep one meaning on every page.
    event = st.plotly_chart(
        figure,
        theme=None,
        on_select="rerun",
        selection_mode="points",
        key=f"chart_{name}",
        config=charts.build_config(name),
        alt=f"{title}. {help_text}",
    )
    points = cast("Mapping[str, Any]", event)["selection"]["points"]
    if points and points[0].get("customdata"):
        open_frame(points[0]["customdata"])


def open_frame(custom_data: Sequence[Any]) -> None:
    """Open Review at the run, frame and track of a point or a row."""
    run, frame, track = custom_data[:3]
    if frame is not None and not pd.isna(frame):
        place = PageLocation(str(run), int(frame), None if track is None or pd.isna(track) else int(track))
        st.switch_page(to_streamlit_page(Page.REVIEW), query_params=place.to_query())


def show_table(
    rows: pd.DataFrame,
    name: str,
    load_export: Callable[[], pd.DataFrame] | None = None,
    empty_text: str = "Nothing matches the filters.",
) -> None:
    """Show a table with its exports; if it has a run and a frame, choosing a row opens it in Review.

    Args:
        rows: the rows to show.
        name: name of the exported files, without ending.
        load_export: loads the rows to export; None: the rows that are shown.
        empty_text: text that is shown if there are no rows.
    """
    if rows.empty:
        st.caption(empty_text)
        return
    frame = next((column for column in ("frame", "start") if {"run", column} <= set(rows.columns)), None)
    column_config = {
        str(column): column_format for column in rows.columns if (column_format := _configure_column(str(column)))
    }
    if frame:
        st.caption("Choose a row to open its frame in Review.")
        event = st.dataframe(
            rows,
            hide_index=True,
            key=f"table_{name}",
            on_select="rerun",
            selection_mode="single-row",
            height=min(420, 38 + 35 * len(rows)),
            column_config=column_config,
        )
        chosen = cast("Mapping[str, Any]", event)["selection"]["rows"]
        # The browser keeps the chosen row while a filter may have made the table shorter.
        if chosen and chosen[0] < len(rows):
            row = rows.iloc[chosen[0]]
            open_frame([row["run"], row[frame], row.get("track")])
    else:
        st.dataframe(rows, hide_index=True, key=f"table_{name}", column_config=column_config)
    exports.show_table_exports(load_export or (lambda: rows), name)


_SHARE_COLUMNS = {"share", "recall", "precision", "coverage", "low", "high", "found_share", "hidden_share"}
_SHARE_PREFIXES = ("recall_", "coverage_")
_SCORE_COLUMNS = {"score", "mean_score", "f1"}


def _configure_column(column: str) -> Any:
    """Choose the number format of a column from its name."""
    if column in _SHARE_COLUMNS or column.startswith(_SHARE_PREFIXES):
        return st.column_config.NumberColumn(format="percent")
    if column in _SCORE_COLUMNS or column.startswith("false_") or column == "seconds" or column.endswith("_seconds"):
        return st.column_config.NumberColumn(format="%.3f")
    if column == "origin":
        # The first rows, by which the browser chooses a width, seldom have the longest of the words.
        return st.column_config.TextColumn(width=104)
    if column.endswith("_sha256"):
        return st.column_config.TextColumn(width="small")
    return st.column_config.NumberColumn(format="%.1f") if column.endswith("_px") else None
