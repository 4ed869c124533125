"""Tables and charts as CSV, Parquet and HTML files. A file is made only when its button is pressed."""

from __future__ import annotations

import io
from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from workbench import charts


def show_table_exports(load_rows: Callable[[], pd.DataFrame], name: str) -> None:
    """Show buttons that download a table as CSV and as Parquet; `name` is the file name without ending."""
    with st.container(horizontal=True):
        _show_download_button("CSV", lambda: load_rows().to_csv(index=False).encode(), f"{name}.csv", "text/csv")
        _show_download_button(
            "Parquet", lambda: to_parquet(load_rows()), f"{name}.parquet", "application/vnd.apache.parquet"
        )


def show_chart_exports(figure: go.Figure, rows: pd.DataFrame, name: str) -> None:
    """Show the downloads of a chart and its table."""
    with st.popover("Export", icon=":material/download:"):
        _show_download_button("Chart as HTML", lambda: to_html(figure, name), f"{name}.html", "text/html")
        _show_download_button("Table as CSV", lambda: rows.to_csv(index=False).encode(), f"{name}.csv", "text/csv")
        _show_download_button(
            "Table as Parquet", lambda: to_parquet(rows), f"{name}.parquet", "application/vnd.apache.parquet"
        )
        st.caption(
            "For a PNG, use the camera button above the chart. It appears under the mouse pointer or with the Tab key."
        )


def to_html(figure: go.Figure, name: str) -> bytes:
    """Return a web page that shows the chart offline."""
    page: str = figure.to_html(include_plotlyjs=True, config=charts.build_config(name))
    return page.encode()


def to_parquet(rows: pd.DataFrame) -> bytes:
    """Return the table as a Parquet file."""
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _show_download_button(label: str, make: Callable[[], bytes], file_name: str, media_type: str) -> None:
    # "ignore", because a download would otherwise rerun the page with all its queries.
    st.download_button(label, make, file_name=file_name, mime=media_type, on_click="ignore", key=f"take {file_name}")
