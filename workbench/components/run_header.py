"""What every page of a run begins with: whether there is something to look at, and if not, what to do."""

from __future__ import annotations

import streamlit as st

from engine import access, runs
from engine.errors import AccessError, RunError, VeilError
from engine.runs import Run
from workbench.auth import current_user
from workbench.components import run_list
from workbench.core import formatting, session
from workbench.core.links import Page, Place
from workbench.core.page_table import LISTED, open_to, way_to


def admit(page: Page) -> None:
    """Let nobody pass who has no use for a page: it is said what it takes, with a way out, and the page ends."""
    action = LISTED[page].action
    try:
        if action is not None:
            access.require(current_user.person(), action)
    except AccessError as error:
        st.info(str(error), icon=":material/lock:")
        way_to(Page.HOME, "Go to Home")
        st.stop()


def opened(page: Page, onward: Page) -> Run | None:
    """Begin a page of a run: its heading, and whether there is something to look at; if not, it is said what to do.

    Args:
        page: that is shown.
        onward: the page that comes next, for a button.

    Returns:
        The run, None when there is nothing to look at.
    """
    try:
        run = session.chosen_run()
    except RunError as error:
        run, complaint = None, str(error)
    else:
        complaint = ""
    if run is None:
        st.title(LISTED[page].title, anchor=False)
        admit(page)
        _offer(page, complaint)
        return None
    _heading(page, run, onward)
    admit(page)
    return run if _ready(run) else None


def way_out() -> None:
    """A link to where other runs are."""
    way_to(Page.HOME, "Other runs on Home")


def _offer(page: Page, complaint: str) -> None:
    """The runs that can be chosen, those first for which somebody waits on this page."""
    if complaint:
        st.error(formatting.plain(complaint))
    try:
        listed = [one for one in run_list.listed(runs.register(session.data())) if one.run.status == "done"]
    except VeilError as error:
        st.error(str(error))
        listed = []
    if not (complaint and listed):
        st.markdown(f"No run is chosen{'.' if listed else '; none is finished yet.'}")
    if listed:
        here = [one for one in listed if one.turn and one.turn.step and run_list.PAGES[one.turn.step] is page]
        run_list.show([*here, *(one for one in listed if one not in here)], page.value)
    elif open_to(Page.DETECT, current_user.person()):
        way_to(Page.DETECT, "Choose a video on Detect", first=True)
    way_out()


def _heading(page: Page, run: Run, onward: Page) -> None:
    name, on = st.columns([8, 2], vertical_alignment="center")
    with name.container(gap="xsmall"):
        st.title(f"{LISTED[page].title}: {run.title}", anchor=False)
        st.caption(f"Run {run.id}, asked for by {run.request.name}")
    if run.folder.record.exists() and open_to(onward, current_user.person()):
        with on.container(horizontal=True, horizontal_alignment="right"):
            way_to(onward, place=Place(run.id))


def _ready(run: Run) -> bool:
    """Whether there is a record and its source; if not, it is said why, with a way out."""
    if not run.folder.record.exists():
        _say_why(run)
        if open_to(Page.DETECT, current_user.person()):
            way_to(Page.DETECT, "Runs on Detect")
    elif not run.source.is_absolute():
        st.info(f"{run.title} was masked live; its frames were kept only as they were shown, with the faces hidden.")
        way_to(Page.ANALYSE, "The record in Analyse", Place(run.id))
    elif not run.source.exists():
        st.error(f"The source {run.source} is gone, so its frames cannot be shown. Put it back under that name.")
    else:
        return True
    way_out()
    return False


def _say_why(run: Run) -> None:
    match run.status:
        case "failed":
            st.error(f"This run failed: {run.state.sentence or 'no reason was kept.'}")
        case "queued":
            st.info("This run waits for its turn: no frame was looked at yet. Come back when it is done.")
        case "running":
            of = f" of {run.state.total:,}" if run.state.total else ""
            st.info(f"Faces are still being found: {run.state.done:,}{of} frames. Come back when it is done.")
        case "done":
            st.error(f"The record {run.folder.record} is missing. Detect the source again.")
        case _:
            st.warning("This run was stopped before every frame was in its record. Resume it on Detect.")
