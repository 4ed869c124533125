"""The sample clip, one click away from a page that has nothing to show."""

from __future__ import annotations

import streamlit as st

from engine.errors import VeilError
from engine.jobs.queue import submit
from engine.media.output.sample_clip import make_sample
from engine.runs import Asked
from workbench.auth import current_user
from workbench.components import model_check
from workbench.core import session

NAME = "sample interview.mp4"


def offer() -> None:
    """A button that detects the sample clip."""
    if st.button("Try it with the sample clip", icon=":material/movie:") and model_check.there(Asked()):
        _begin()


def _begin() -> None:
    data = session.data()
    try:
        with st.spinner("Making the sample clip"):
            make_sample(data.footage / NAME)
        submit(data, current_user.person(), data.footage / NAME, Asked())
    except VeilError as error:
        st.error(str(error))
        return
    st.rerun()
