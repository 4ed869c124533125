"""Home: what waits for me, what runs, what was released."""

from __future__ import annotations

import streamlit as st

st.title("Home")
