"""The application that `streamlit run` serves: pages, routes beside them, and the sign-in check before all."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from workbench.auth.middleware import AuthMiddleware
from workbench.server import startup
from workbench.server.body_limit import BodyLimitMiddleware
from workbench.server.routes import ROUTES
from workbench.server.security_headers import SecurityHeadersMiddleware


def _show_error_notice(_error: Exception) -> bool:
    """Show a message without details. The details are in the log, because they may name people."""
    st.error("Something unexpected happened. Nothing was changed. Reload the page; the server log has details.")
    return True


app = st.App(
    Path(__file__).with_name("navigation.py"),
    routes=list(ROUTES),
    lifespan=startup.lifespan,
    middleware=[Middleware(SecurityHeadersMiddleware), Middleware(BodyLimitMiddleware), Middleware(AuthMiddleware)],
    on_script_error=_show_error_notice,
)
