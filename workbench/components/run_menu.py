"""The menu of a run in a list: assign, archive, remove."""

from __future__ import annotations

from collections.abc import Callable

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
            if st.button("Bring back from the archive", key=f"restore-{run.id}", icon=":material/unarchive:"):
                apply_action(lambda context: archive_run(context, archived=False), run)
        elif run.status not in {"queued", "running"} and st.button(
            "Archive", key=f"archive-{run.id}", icon=":material/archive:", help="Leaves the lists; all files stay."
        ):
            apply_action(archive_run, run)
        is_removable = run.resumable and not run.folder.record.exists()
        if is_removable and access.is_allowed(person, "detect"):
            st.caption("This run has no record. Removing it keeps the video.")
            if st.button("Remove the run", key=f"remove-{run.id}", icon=":material/delete:"):
                apply_action(remove_run, run)


def apply_action(action: Callable[[RunContext], object], run: Run) -> None:
    """Apply an action to a run and show the page again, or show the error."""
    try:
        # Read again: the run may have changed since the list was drawn.
        action(RunContext.open(session.get_data(), run.id, current_user.require_person()))
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))
    else:
        # The person moved this one themselves, so it goes to its new place at once.
        session.RUN_PLACES.set({key: place for key, place in session.RUN_PLACES.get().items() if key != run.id})
        st.rerun()


def _show_assignment(run: Run, case: Case) -> None:
    names = {person.account: person.name for person in list_assignable_people(session.get_data())}
    accounts = [None, *names]
    current = accounts.index(case.account) if case.account in names else 0
    chosen = st.selectbox(
        "Assigned to", accounts, current, format_func=lambda account: names.get(account or "", _NOBODY),
        key=f"assign-{run.id}-{case.account}",
    )  # fmt: skip
    if chosen != case.account:
        apply_action(lambda context: assign_run(context, chosen), run)
