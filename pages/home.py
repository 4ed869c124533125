"""Home: what waits for me, what runs, what was released."""

from __future__ import annotations

import streamlit as st

from engine.errors import VeilError
from workbench import home, runlist, session

st.title("Home", anchor=False)


@st.fragment(run_every=runlist.EVERY)
def _overview() -> None:
    session.still_there()
    try:
        register = runlist.looked_up()
        if register.runs or register.damaged:
            home.overview(register)
        else:
            home.beginning()
    except VeilError as error:
        st.error(str(error))


_overview()
