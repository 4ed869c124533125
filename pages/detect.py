"""Detect: choose footage and a mode, start runs, watch them."""

from __future__ import annotations

import streamlit as st

from workbench import opening, runlist
from workbench.detect import footage, intake, options
from workbench.links import Page

st.title("Detect", anchor=False)
opening.admit(Page.DETECT)
chosen = footage.choose()
asked = options.choose()
intake.prepare(chosen, asked)

st.header("Runs", anchor=False)
runlist.watch(intake.history)
