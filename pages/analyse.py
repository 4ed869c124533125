"""Analyse: what the detectors saw, where they disagree, what they may have missed."""

from __future__ import annotations

import streamlit as st

from workbench.views.analyse import filters, views

st.title("Analyse")
filters.admit()
found = filters.opened()


@st.fragment
def body() -> None:
    """Filters and the view; a filter runs this alone."""
    filters.admit()
    selection = filters.choose(found)
    view = st.segmented_control(
        "View", views.names(), default=views.names()[0], key="analyse_view", label_visibility="collapsed"
    )
    views.show(view or views.names()[0], found, selection)


body()
