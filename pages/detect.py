"""Detect: choose footage and a mode, start runs, watch them."""

from __future__ import annotations

import streamlit as st

from engine.errors import VeilError
from workbench import detect, footage, opening, options, runlist, session
from workbench.links import Page

st.title("Detect", anchor=False)
opening.admit(Page.DETECT)
chosen = footage.choose()
asked = options.choose()
detect.prepare(chosen, asked)

st.header("Runs", anchor=False)


@st.fragment(run_every=runlist.EVERY)
def _runs() -> None:
    session.still_there()
    try:
        detect.history(runlist.looked_up())
    except VeilError as error:
        st.error(str(error))


_runs()
