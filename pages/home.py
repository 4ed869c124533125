"""Home: what waits for me, what runs, what was released."""

from __future__ import annotations

import streamlit as st

from workbench import home, runlist, session

st.title("Home")


@st.fragment(run_every=runlist.EVERY)
def _overview() -> None:
    session.still_there()
    register = runlist.looked_up()
    if register.runs or register.damaged:
        home.overview(register)
    else:
        home.beginning()


_overview()
