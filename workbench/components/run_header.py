"""The head of every page about a run: its title, or an explanation why there is nothing to show."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine import access, runs
from engine.errors import AccessError, RunError, VeilError
from engine.runs import Run
from workbench.auth import current_user
from workbench.components import run_list
from workbench.core import formatting, session
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import PAGE_ENTRIES, can_use_page, show_page_link


def require_page_permission(page: Page) -> None:
    """Stop the page with an explanation if the user lacks the permission it needs."""
    action = PAGE_ENTRIES[page].required_action
    try:
        if action is not None:
            access.require_permission(current_user.require_person(), action)
    except AccessError as error:
        st.info(formatting.escape_markdown(str(error)), icon=":material/lock:")
        show_page_link(Page.HOME, "Go to Home")
        st.stop()


def open_run_page(
    page: Page,
    next_page: Page,
    show_above_list: Callable[[], None] | None = None,
    show_outcomes: Callable[[Run], None] | None = None,
) -> Run | None:
    """Show the heading of a page about a run, or explain why there is nothing to show.

    Args:
        page: the page that is shown.
        next_page: the page that the link beside the heading leads to.
        show_above_list: shows what comes above the list of runs if no run is chosen.
        show_outcomes: shows what became of the run's background tasks if the run itself cannot be shown.

    Returns:
        The run, None if there is nothing to show.
    """
    try:
        run = session.load_chosen_run()
    except RunError as error:
        run, error_text = None, str(error)
    else:
        error_text = ""
    if run is None:
        st.title(PAGE_ENTRIES[page].title, anchor=False)
        require_page_permission(page)
        if show_above_list is not None and not error_text:
            show_above_list()
        _show_choosable_runs(page, error_text)
        return None
    _show_heading(page, run, next_page)
    require_page_permission(page)
    if _check_source(run):
        return run
    if show_outcomes is not None:
        show_outcomes(run)
    show_home_link()
    return None


def show_home_link() -> None:
    """Show a link to the other runs."""
    show_page_link(Page.HOME, "Other runs on Home")


def _show_choosable_runs(page: Page, error_text: str) -> None:
    """Show the runs to choose from, those whose next step is on this page first."""
    if error_text:
        st.error(formatting.escape_markdown(error_text))
    # An error of the register must not hide the error of the chosen run, so both are shown.
    try:
        finished = [
            entry for entry in run_list.list_runs(runs.read_register(session.get_data())) if entry.run.status == "done"
        ]
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))
        finished = []
    if not (error_text and finished):
        st.markdown("Choose a run." if finished else "No run is finished yet.")
    if finished:
        here = [
            entry
            for entry in finished
            if entry.next_step and entry.next_step.step and run_list.STEP_PAGES[entry.next_step.step] is page
        ]
        run_list.show_runs([*here, *(entry for entry in finished if entry not in here)], page.value)
    elif can_use_page(Page.DETECT, current_user.require_person()):
        show_page_link(Page.DETECT, "Choose a video", as_button=True)
    show_home_link()


def _show_heading(page: Page, run: Run, next_page: Page) -> None:
    name, on = st.columns([8, 2], vertical_alignment="center")
    with name.container(gap="xsmall"):
        st.title(f"{PAGE_ENTRIES[page].title}: {formatting.escape_markdown(run.title)}", anchor=False)
        st.caption(f"Run {run.id}, started by {formatting.escape_markdown(run.request.name)}")
    if run.folder.record.exists() and can_use_page(next_page, current_user.require_person()):
        with on.container(horizontal=True, horizontal_alignment="right"):
            show_page_link(next_page, location=PageLocation(run.id))


def _check_source(run: Run) -> bool:
    """Return True if the record and its source exist; otherwise explain what to do."""
    if not run.folder.record.exists():
        _explain_missing_record(run)
        if can_use_page(Page.DETECT, current_user.require_person()):
            show_page_link(Page.DETECT, "Go to the runs on Detect")
    elif not run.source.is_absolute():
        title = formatting.escape_markdown(run.title)
        st.info(f"{title} was masked live. Only the masked recording was kept, so there are no source frames to show.")
        show_page_link(Page.ANALYSE, "Open the record in Analyse", PageLocation(run.id))
    elif not run.source.exists():
        st.error(formatting.escape_markdown(f"The frames cannot be shown. {run.explain_missing_source()}"))
    else:
        return True
    return False


def _explain_missing_record(run: Run) -> None:
    match run.status:
        case "failed":
            st.error(formatting.escape_markdown(f"This run failed: {run.state.sentence or 'No reason was recorded.'}"))
        case "queued":
            st.info("This run is queued. Come back when it is done.")
        case "running":
            of = f" of {run.state.total:,}" if run.state.total else ""
            st.info(f"Detection is still running: {run.state.done:,}{of} frames. Come back when it is done.")
        case "done":
            st.error(formatting.escape_markdown(f"The record {run.folder.record} is missing. Detect the source again."))
        case _:
            st.warning("This run stopped before its record was complete. Resume it on Detect.")
