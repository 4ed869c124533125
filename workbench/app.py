"""What `streamlit run` serves: the pages, the routes beside them, and the door before them all."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from workbench.auth.middleware import AuthMiddleware
from workbench.server import startup
from workbench.server.routes import ROUTES


def _show_error_notice(_error: Exception) -> bool:
    """Say that something broke without saying what: the log has it, and it may name people."""
    st.error("Something unexpected happened; nothing was changed. Load the page again; the server's log says more.")
    return True


app = st.App(
    Path(__file__).with_name("navigation.py"),
    routes=list(ROUTES),
    lifespan=startup.lifespan,
    middleware=[Middleware(AuthMiddleware)],
    on_script_error=_show_error_notice,
)
