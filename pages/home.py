"""Home: my tasks, active runs and releases."""

from __future__ import annotations

import streamlit as st

from workbench.components import run_list
from workbench.views import home

st.title("Home", anchor=False)
run_list.show_refreshing(home.show)
