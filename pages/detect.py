"""Detect: choose footage and a mode, start runs, watch them."""

from __future__ import annotations

import streamlit as st

from workbench import detect, footage, opening, options, runlist
from workbench.links import Page

st.title("Detect", anchor=False)
opening.admit(Page.DETECT)
chosen = footage.choose()
asked = options.choose()
detect.prepare(chosen, asked)

st.header("Runs", anchor=False)
runlist.watch(detect.history)
