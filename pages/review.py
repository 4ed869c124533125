"""Review: what was found, frame by frame, and what a reviewer makes of it."""

from __future__ import annotations

import streamlit as st

from engine import access
from engine.approval.reviewer_actions import Desk
from engine.errors import RecordError, VeilError
from engine.runs import Run
from workbench.auth import current_user
from workbench.components import run_header
from workbench.components.canvas import action, review_canvas
from workbench.core import caches, messages, reviewed_run, session, shown_style
from workbench.core.links import Page
from workbench.core.reviewed_run import Case
from workbench.views.review import canvas_data, frame_audit

_KEY = "review_canvas"


def _case(run: Run) -> Case | None:
    try:
        return reviewed_run.case_of(run)
    except RecordError as error:
        st.error(str(error))
        if "middle of line" in str(error):
            st.button("Remove the unfinished line", on_click=_mend, args=(run,), icon=":material/healing:")
        elif run.folder.review.name in str(error):
            st.info(
                "What was amended is evidence and is not repaired: put the file back as it was, from a backup. Until "
                "then nobody can amend, sign or render with it."
            )
        run_header.way_out()
        return None


def _mend(run: Run) -> None:
    try:
        Desk(session.data(), current_user.person(), run, caches.digest_of(run)).mend()
    except VeilError as error:
        session.REVIEW_TOLD.set(messages.Told(str(error), 0, bad=True))


def _act(run_id: str) -> None:
    """Write what the person has just done, before the page is drawn anew."""
    act = action(_KEY, run_id)
    run = session.chosen_run()
    if act is None or run is None:
        return
    case = reviewed_run.case_of(run)
    desk = Desk(session.data(), current_user.person(), run, case.record_sha256)
    session.REVIEW_TOLD.set(canvas_data.take(desk, case, act))


def _show(run: Run, case: Case) -> None:
    person, place = current_user.person(), session.place()
    viewed = caches.viewed_of(session.data(), run)
    screen = canvas_data.Screen(
        case=case,
        spots=reviewed_run.spots_of(case),
        tracks=reviewed_run.tracks_of(case),
        eyes=canvas_data.Eyes.of(viewed, person.account),
        may_amend=access.may(person, "amend"),
        frame=place.frame,
        track=place.track,
        told=session.REVIEW_TOLD.get(),
        style=shown_style.shown(run),
    )
    review_canvas(_KEY, run.id, screen.data(), on_act=_act)
    if access.may(person, "judge") and st.toggle("Audit of frames drawn by lot"):
        frame_audit.show(case)


def main() -> None:
    """Show the page."""
    run = run_header.opened(Page.REVIEW, Page.SIGN_OFF)
    case = None if run is None else _case(run)
    if run is not None and case is not None:
        _show(run, case)


main()
