"""Analyse: what the detectors found, where they disagree, and what they may have missed."""

from __future__ import annotations

import streamlit as st

from workbench.views.analyse import filters, views

st.title("Analyse")
filters.require_analyse_permission()
run_index = filters.open_page_index()


@st.fragment
def show_body() -> None:
    """Show the filters and the view. A changed filter reruns only this fragment."""
    # Checked again: a rerun of the fragment does not run the lines above.
    filters.require_analyse_permission()
    selection = filters.choose(run_index)
    view = st.segmented_control(
        "View", views.list_views(), default=views.list_views()[0], required=True, key="analyse_view",
        label_visibility="collapsed",
    )  # fmt: skip
    views.show(view, run_index, selection)


show_body()
