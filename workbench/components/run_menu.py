"""The menu of a run in a list: assign, archive, remove."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from engine import access
from engine.access import Person
from engine.access.run_context import RunContext
from engine.errors import VeilError
from engine.jobs.cases import Case, archive_run, assign_run, list_assignable_people, remove_run
from engine.runs import Run
from workbench.auth import current_user
from workbench.core import formatting, session

_NOBODY = "Anyone"


def show_menu(run: Run, case: Case, person: Person) -> None:
    """Show the menu of a run to a person who may see its frames."""
    if not access.is_allowed(person, "look"):
        return
    with st.popover(
        "More", icon=":material/more_horiz:", help=f"Assign, archive or remove {formatting.escape_markdown(run.title)}"
    ):
        if run.status == "done":
            _show_assignment(run, case)
        if case.archived:
            st.button(
                "Bring back from the archive", key=f"restore-{run.id}", icon=":material/unarchive:",
                on_click=apply_action, args=(partial(archive_run, archived=False), run),
            )  # fmt: skip
        elif run.status not in {"queued", "running"}:
            st.button(
                "Archive", key=f"archive-{run.id}", icon=":material/archive:", help="Leaves the lists; all files stay.",
                on_click=apply_action, args=(archive_run, run),
            )  # fmt: skip
        is_removable = run.resumable and not run.folder.record.exists()
        if is_removable and access.is_allowed(person, "detect"):
            st.caption("This run has no record. Removing it keeps the video.")
            st.button(
                "Remove the run", key=f"remove-{run.id}", icon=":material/delete:", on_click=apply_action,
                args=(remove_run, run),
            )  # fmt: skip


def apply_action(action: Callable[[RunContext], object], run: Run) -> None:
    """Apply an action to a run; keep the error, if there is one, for the list that is drawn next.

    For callbacks of buttons in lists: the list alone is drawn again, and no rerun of the page is needed after it.
    """
    error_text = ""
    try:
        # Read again: the run may have changed since the list was drawn.
        action(RunContext.open(session.get_data(), run.id, current_user.require_person()))
    except VeilError as error:
        error_text = str(error)
    else:
        # The person moved this one themselves, so it goes to its new place at once.
        session.RUN_PLACES.set({key: place for key, place in session.RUN_PLACES.get().items() if key != run.id})
    session.LIST_ERROR.set(error_text)


def _show_assignment(run: Run, case: Case) -> None:
    names = {person.account: person.name for person in list_assignable_people(session.get_data())}
    accounts = [None, *names]
    key = f"assign-{run.id}-{case.account}"
    st.selectbox(
        "Assigned to", accounts, accounts.index(case.account) if case.account in names else 0,
        format_func=lambda account: names.get(account or "", _NOBODY), key=key, on_change=_assign, args=(run, key),
    )  # fmt: skip


def _assign(run: Run, key: str) -> None:
    apply_action(partial(assign_run, account=st.session_state[key]), run)
