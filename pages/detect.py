"""Detect: choose footage and a mode, start runs, watch them."""

from __future__ import annotations

import streamlit as st

from workbench import detect, runlist, session, wording

st.title("Detect")
session.allowed("detect")
chosen = detect.choose_footage()
asked = detect.choose_options()
ready = [footage for footage in chosen if detect.expectation(footage, asked)]
words = f"Start {wording.count(len(ready), 'run')}" if ready else "Start"
if st.button(words, type="primary", icon=":material/play_arrow:", disabled=not ready):
    detect.start(ready, asked)

st.header("Runs")


@st.fragment(run_every=runlist.EVERY)
def _runs() -> None:
    session.still_there()
    runlist.show_register(runlist.looked_up())


_runs()
