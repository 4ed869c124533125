"""Home: what waits for me, what runs, what was released."""

from __future__ import annotations

import streamlit as st

from workbench import home, runlist

st.title("Home", anchor=False)
runlist.watch(home.show)
