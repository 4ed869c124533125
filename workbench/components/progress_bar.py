"""The progress of a background task."""

from __future__ import annotations

import streamlit as st

from engine.core.wording import format_count
from workbench.auth import current_user
from workbench.core import caches

_STAGE_LABELS = {
    "probe": "Reading the source",
    "sign-off": "Checking",
    "render": "Rendering",
    "verify": "Verifying",
    "leaks": "Checking for visible faces",
    "plant": "Testing detection with planted faces",
    "copy": "Copying",
}


@st.fragment(run_every=1.0)
def show_progress(name: str, text: str = "") -> None:
    """Show the progress of a background task; rerun the whole page when it ends.

    Args:
        name: name of the task.
        text: text at the bar; empty: the stage and the number of frames.
    """
    current_user.rerun_if_signed_out()
    state = caches.get_background_tasks().find_state(name)
    if state is None or state.ended:
        st.rerun()
    share = min(1.0, state.done / state.total) if state.total else 0.0
    stage = _STAGE_LABELS.get(state.stage, state.stage or "Starting")
    if state.stage == "probe":
        default_text = f"{stage}: {int(100 * share)} %"
    else:
        done = f"{state.done:,} of " if state.total else ""
        default_text = f"{stage}: {done}{format_count(state.total or state.done, 'frame')}"
    st.progress(share, text or default_text)
