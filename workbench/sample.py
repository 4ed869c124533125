"""The sample clip, one click away from a page that has nothing to show."""

from __future__ import annotations

import streamlit as st

from engine.errors import VeilError
from engine.jobs.queue import submit
from engine.media.sample import make_sample
from engine.runs import Asked
from workbench import session
from workbench.detect import models

NAME = "sample interview.mp4"


def offer() -> None:
    """A button that detects the sample clip."""
    if st.button("Try it with the sample clip", icon=":material/movie:") and models.there(Asked()):
        _begin()


def _begin() -> None:
    data = session.data()
    try:
        with st.spinner("Making the sample clip"):
            make_sample(data.footage / NAME)
        submit(data, session.person(), data.footage / NAME, Asked())
    except VeilError as error:
        st.error(str(error))
        return
    st.rerun()
