"""A chart or a table with its exports; choosing a point or a row opens its frame in Review."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from workbench.charts import plots
from workbench.core.links import Page, Place
from workbench.core.page_table import page_of
from workbench.views.analyse import exports


def dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def plot(figure: go.Figure, rows: pd.DataFrame, name: str, title: str, help_text: str) -> None:
    """A chart with its title and exports; a click on a point opens its frame in Review."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{title}**", help=help_text, width="content")
        exports.chart(figure, rows, name)
    event = st.plotly_chart(
        figure,
        theme=None,
        on_select="rerun",
        selection_mode="points",
        key=f"chart_{name}",
        config=plots.config(name),
        alt=f"{title}. {help_text}",
    )
    points = cast("Mapping[str, Any]", event)["selection"]["points"]
    if points and points[0].get("customdata"):
        open_frame(points[0]["customdata"])


def open_frame(custom: Sequence[Any]) -> None:
    """Go to Review, to the run, frame and track that a point or a row carries."""
    run, frame, track = custom[:3]
    if frame is not None and not pd.isna(frame):
        place = Place(str(run), int(frame), None if track is None or pd.isna(track) else int(track))
        st.switch_page(page_of(Page.REVIEW), query_params=place.parameters())


def grid(
    rows: pd.DataFrame,
    name: str,
    whole: Callable[[], pd.DataFrame] | None = None,
    nothing: str = "Nothing matches the filters.",
) -> None:
    """A table with its exports; where it has a run and a frame, choosing a row opens it in Review.

    Args:
        rows: what is shown.
        name: of the files.
        whole: gives what is exported; what is shown when left out.
        nothing: what is said when there are no rows.
    """
    if rows.empty:
        st.caption(nothing)
        return
    frame = next((column for column in ("frame", "start") if {"run", column} <= set(rows.columns)), None)
    looks = {str(column): look for column in rows.columns if (look := _look(str(column)))}
    if frame:
        st.caption("Choose a row to open its frame in Review.")
        event = st.dataframe(
            rows,
            hide_index=True,
            key=f"table_{name}",
            on_select="rerun",
            selection_mode="single-row",
            height=min(420, 38 + 35 * len(rows)),
            column_config=looks,
        )
        chosen = cast("Mapping[str, Any]", event)["selection"]["rows"]
        if chosen and chosen[0] < len(rows):
            row = rows.iloc[chosen[0]]
            open_frame([row["run"], row[frame], row.get("track")])
    else:
        st.dataframe(rows, hide_index=True, key=f"table_{name}", column_config=looks)
    exports.table(whole or (lambda: rows), name)


_SHARES = {"share", "recall", "precision", "low", "high", "found_share", "hidden_share"}
_SCORES = {"score", "mean_score", "false_per_frame"}


def _look(column: str) -> Any:
    """How the values of a column are written; its name says what they are."""
    if column in _SHARES:
        return st.column_config.NumberColumn(format="percent")
    if column in _SCORES or column == "seconds" or column.endswith("_seconds"):
        return st.column_config.NumberColumn(format="%.3f")
    if column.endswith("_sha256"):
        return st.column_config.TextColumn(width="small")
    return st.column_config.NumberColumn(format="%.1f") if column.endswith("_px") else None
