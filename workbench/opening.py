"""What every page of a run begins with: whether there is something to look at, and if not, what to do."""

from __future__ import annotations

import streamlit as st

from engine.runs import Run
from workbench.links import Page
from workbench.pages import way_to

ROOM = """<style>
.stMainBlockContainer { padding: 3.2rem 1.6rem 1rem; }
.stMainBlockContainer h1 { font-size: 1.5rem; padding: 0; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { color: inherit; opacity: 0.92; }
</style>"""
"""A still needs the room that other pages leave free, and a caption has to be legible."""


def ready(run: Run) -> bool:
    """Whether there is a record and its source; if not, it is said why, with a way out."""
    if not run.folder.record.exists():
        _say_why(run)
    elif not run.source.exists():
        st.error(f"The source {run.source} is gone, so its frames cannot be shown. Put it back under that name.")
    else:
        return True
    way_out()
    return False


def way_out() -> None:
    """A link to where other runs are."""
    way_to(Page.HOME, "Other runs on Home")


def _say_why(run: Run) -> None:
    match run.status:
        case "failed":
            st.error(f"This run failed: {run.state.sentence or 'no reason was kept.'}")
        case "queued" | "running":
            of = f" of {run.state.total}" if run.state.total else ""
            st.info(f"Faces are still being found: {run.state.done}{of} frames. Come back when it is done.")
        case "done":
            st.error(f"The record {run.folder.record} is missing. Detect the source again.")
        case _:
            st.warning("This run was stopped before every frame was in its record. Resume it on Detect.")
