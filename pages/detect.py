"""Detect: choose footage and a mode, start runs, and follow their progress."""

from __future__ import annotations

import streamlit as st

from workbench.components import run_header, run_list
from workbench.core.links import Page
from workbench.views.detect import detection_options, footage_picker, start_runs

st.title("Detect", anchor=False)
run_header.require_page_permission(Page.DETECT)
chosen = footage_picker.choose()
options = detection_options.choose()
start_runs.show_planned_runs(chosen, options)

st.header("Runs", anchor=False)
run_list.show_refreshing(start_runs.show_history)
