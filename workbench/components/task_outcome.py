"""How a background task ended: shown until a person dismisses it or starts the next one."""

from __future__ import annotations

import streamlit as st

from workbench.core import caches, formatting
from workbench.core.formatting import escape_markdown


def show_outcome(name: str, failed: str = "", success: str = "") -> None:
    """Show how the newest task of a name ended, and when; nothing if there is none or it runs.

    Args:
        name: name of the task.
        failed: what stands before the reason of a failure.
        success: what is said if it did not fail. Empty: nothing.
    """
    tasks = caches.get_background_tasks()
    state = tasks.find_state(name)
    if state is None or state.ended_at is None or not (state.failure or success):
        return
    words, dismiss = st.columns([6, 1], vertical_alignment="center")
    with words:
        age = f"  \n:small[{formatting.format_age(state.ended_at)} ago]"
        if state.failure:
            st.error(escape_markdown(f"{failed}{state.failure}") + age)
        else:
            st.success(escape_markdown(success) + age)
    with dismiss:
        st.button("Dismiss", key=f"dismiss {name}", width="stretch", on_click=tasks.forget_finished, args=(name,))
