"""What every page of a run begins with: whether there is something to look at, and if not, what to do."""

from __future__ import annotations

import streamlit as st

from engine import access, runs
from engine.errors import AccessError, RunError
from engine.runs import Run
from workbench import session
from workbench.links import Page, Place
from workbench.pages import LISTED, way_to
from workbench.wording import moment

_OFFERED = 20
"""Runs that are offered where none is chosen, the newest ones."""


def opened(page: Page, onward: Page) -> Run | None:
    """Begin a page of a run: its heading, and whether there is something to look at; if not, it is said what to do.

    Args:
        page: that is shown.
        onward: the page that comes next, for a button.

    Returns:
        The run, None when there is nothing to look at.
    """
    run = _chosen(page)
    if run is None:
        return None
    _heading(page, run, onward)
    try:
        access.require(session.person(), "look")
    except AccessError as error:
        st.error(str(error))
        way_out()
        return None
    return run if _ready(run) else None


def way_out() -> None:
    """A link to where other runs are."""
    way_to(Page.HOME, "Other runs on Home")


def _chosen(page: Page) -> Run | None:
    """The run that the address names; where there is none, those that can be chosen."""
    try:
        run = session.chosen_run()
    except RunError as error:
        complaint = str(error)
    else:
        if run is not None:
            return run
        complaint = ""
    st.title(LISTED[page].title, anchor=False)
    if complaint:
        st.error(complaint)
    finished = [run for run in runs.register(session.data()).runs if run.status == "done"]
    if finished:
        st.info("No run is chosen. Choose one of the newest:")
    else:
        st.info("No run is chosen, and none is finished yet. Start one on Detect, or look on Home what is running.")
        way_to(Page.DETECT)
    for one in finished[:_OFFERED]:
        way_to(page, f"{one.title} · {one.request.detection.mode} · {moment(one.request.at)}", Place(one.id))
    way_out()
    return None


def _heading(page: Page, run: Run, onward: Page) -> None:
    name, state, on = st.columns([5, 3, 2], vertical_alignment="bottom")
    name.title(f"{LISTED[page].title}: {run.title}", anchor=False)
    state.caption(f"Run {run.id}, asked for by {run.request.name}")
    with on:
        way_to(onward, place=Place(run.id))


def _ready(run: Run) -> bool:
    """Whether there is a record and its source; if not, it is said why, with a way out."""
    if not run.folder.record.exists():
        _say_why(run)
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
        case "queued" | "running":
            of = f" of {run.state.total}" if run.state.total else ""
            st.info(f"Faces are still being found: {run.state.done}{of} frames. Come back when it is done.")
        case "done":
            st.error(f"The record {run.folder.record} is missing. Detect the source again.")
        case _:
            st.warning("This run was stopped before every frame was in its record. Resume it on Detect.")
