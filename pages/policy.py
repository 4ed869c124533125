"""Policy: what a release takes in this organisation, for administrators."""

from __future__ import annotations

import streamlit as st

from workbench.components import run_header
from workbench.core.links import Page
from workbench.views import policy

st.title("Policy", anchor=False)
run_header.require_page_permission(Page.POLICY)
policy.show()
