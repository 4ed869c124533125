"""Review: what was found, frame by frame, and what a reviewer makes of it."""

from __future__ import annotations

import streamlit as st

from engine import access
from engine.errors import RecordError, VeilError
from engine.review.desk import Desk
from engine.runs import Run
from workbench import caches, cases, opening, session
from workbench.cases import Case
from workbench.components.canvas import action, review_canvas
from workbench.links import Page
from workbench.pictures import styles
from workbench.review import exchange, lot

_KEY = "review_canvas"


def _case(run: Run) -> Case | None:
    try:
        return cases.case_of(run)
    except RecordError as error:
        st.error(str(error))
        if "middle of line" in str(error):
            st.button("Remove the unfinished line", on_click=_mend, args=(run,), icon=":material/healing:")
        elif run.folder.review.name in str(error):
            st.info(
                "What was amended is evidence and is not repaired: put the file back as it was, from a backup. Until "
                "then nobody can amend, sign or render with it."
            )
        opening.way_out()
        return None


def _mend(run: Run) -> None:
    try:
        Desk(session.data(), session.person(), run, caches.digest_of(run)).mend()
    except VeilError as error:
        session.REVIEW_TOLD.set(exchange.Told(str(error), 0, bad=True))


def _act(run_id: str) -> None:
    """Write what the person has just done, before the page is drawn anew."""
    act = action(_KEY, run_id)
    run = session.chosen_run()
    if act is None or run is None:
        return
    case = cases.case_of(run)
    desk = Desk(session.data(), session.person(), run, case.record_sha256)
    session.REVIEW_TOLD.set(exchange.take(desk, case, act))


def _show(run: Run, case: Case) -> None:
    person, place = session.person(), session.place()
    viewed = caches.viewed_of(session.data(), run)
    screen = exchange.Screen(
        case=case,
        spots=cases.spots_of(case),
        tracks=cases.tracks_of(case),
        eyes=exchange.Eyes.of(viewed, person.account),
        may_amend=access.may(person, "amend"),
        frame=place.frame,
        track=place.track,
        told=session.REVIEW_TOLD.get(),
        style=styles.shown(run),
    )
    review_canvas(_KEY, run.id, screen.data(), on_act=_act)
    if access.may(person, "judge") and st.toggle("Audit of frames drawn by lot"):
        lot.show(case)


def main() -> None:
    """Show the page."""
    run = opening.opened(Page.REVIEW, Page.SIGN_OFF)
    case = None if run is None else _case(run)
    if run is not None and case is not None:
        _show(run, case)


main()
