"""The button that detects the sample clip, for pages that have nothing to show."""

from __future__ import annotations

import streamlit as st

from engine.errors import VeilError
from engine.jobs.queue import submit_run
from engine.media.output.sample_clip import make_sample_clip
from engine.record import DetectOptions
from workbench.auth import current_user
from workbench.components import model_check
from workbench.core import formatting, session

SAMPLE_NAME = "sample interview.mp4"


def show_sample_button() -> None:
    """Show a button that makes the sample clip and starts its detection."""
    if st.button("Try the sample clip", icon=":material/movie:") and model_check.check_models(DetectOptions()):
        _detect_sample()


def _detect_sample() -> None:
    data = session.get_data()
    try:
        with st.spinner("Making the sample clip"):
            make_sample_clip(data.library / SAMPLE_NAME)
        submit_run(data, current_user.require_person(), data.library / SAMPLE_NAME, DetectOptions())
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))
        return
    st.rerun()
