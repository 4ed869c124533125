"""What `streamlit run` serves: the pages, and the routes beside them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.routes import ROUTES

app = st.App(Path(__file__).with_name("navigation.py"), routes=list(ROUTES))
