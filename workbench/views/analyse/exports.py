"""Tables and charts as files: CSV, Parquet and HTML. Files are made when somebody asks for them."""

from __future__ import annotations

import io
from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from workbench.charts import plots


def table(rows: Callable[[], pd.DataFrame], name: str) -> None:
    """Two buttons that give a table as CSV and as Parquet, under that file name."""
    with st.container(horizontal=True):
        _button("CSV", lambda: rows().to_csv(index=False).encode(), f"{name}.csv", "text/csv")
        _button("Parquet", lambda: parquet(rows()), f"{name}.parquet", "application/vnd.apache.parquet")


def chart(figure: go.Figure, rows: pd.DataFrame, name: str) -> None:
    """What lies behind a chart, to take away; its own toolbar gives the PNG."""
    with st.popover("Export", icon=":material/download:"):
        _button("Chart as HTML", lambda: html(figure, name), f"{name}.html", "text/html")
        _button("Table as CSV", lambda: rows.to_csv(index=False).encode(), f"{name}.csv", "text/csv")
        _button("Table as Parquet", lambda: parquet(rows), f"{name}.parquet", "application/vnd.apache.parquet")
        st.caption("PNG: the camera above the chart; the mouse or the Tab key brings it up.")


def html(figure: go.Figure, name: str) -> bytes:
    """A page that shows the chart without a network."""
    page: str = figure.to_html(include_plotlyjs=True, config=plots.config(name))
    return page.encode()


def parquet(rows: pd.DataFrame) -> bytes:
    """The table as a Parquet file."""
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _button(label: str, make: Callable[[], bytes], file: str, kind: str) -> None:
    st.download_button(label, make, file_name=file, mime=kind, on_click="ignore", key=f"take {file}")
