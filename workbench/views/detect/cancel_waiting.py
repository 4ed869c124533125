"""The button that cancels all runs that wait, after a confirmation."""

from __future__ import annotations

import streamlit as st

from engine import access
from engine.core.wording import format_count
from engine.errors import VeilError
from engine.jobs.queue import cancel_waiting_runs
from engine.runs import RunRegister
from workbench.auth import current_user
from workbench.core import session

_MIN_RUNS = 2
"""Fewest waiting runs for which the button is shown: a single one has a button of its own."""


def show_cancel_waiting(register: RunRegister) -> None:
    """Show the button to a person who may cancel runs, while several wait."""
    waiting = sum(run.status == "queued" for run in register.runs)
    person = current_user.require_person(keep_alive=False)
    if waiting < _MIN_RUNS or not access.is_allowed(person, "detect"):
        return
    # The label has no number: the menu closes when its label changes, as it would while runs begin and end.
    with st.popover("Cancel all waiting runs", icon=":material/block:"):
        st.markdown(
            f"{format_count(waiting, 'run')} of all people will not start. What is being worked on goes on. A "
            "cancelled run can be resumed, archived or removed."
        )
        st.button(f"Cancel {waiting:,} waiting runs", key="cancel-waiting", type="primary", on_click=_cancel)


def _cancel() -> None:
    error_text = ""
    try:
        cancelled = cancel_waiting_runs(session.get_data(), current_user.require_person())
    except VeilError as error:
        error_text = str(error)
    else:
        st.toast(f"{format_count(len(cancelled), 'run')} cancelled.")
    session.LIST_ERROR.set(error_text)
