"""What `streamlit run` serves: the pages, the routes beside them, and the door before them all."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from workbench.gate import Gate
from workbench.routes import ROUTES

app = st.App(Path(__file__).with_name("navigation.py"), routes=list(ROUTES), middleware=[Middleware(Gate)])
