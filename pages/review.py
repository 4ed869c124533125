"""Review: the detection frame by frame, and the reviewer's amendments."""

from __future__ import annotations

import streamlit as st

from engine import access
from engine.access.run_context import RunContext
from engine.approval.next_step import find_next_step
from engine.approval.notes import Note, read_notes
from engine.approval.reviewer_actions import ReviewerActions
from engine.errors import RecordError, ReviewError, TornReviewError, VeilError
from engine.runs import Run
from workbench.auth import current_user
from workbench.components import run_header
from workbench.components.canvas import get_action, show_review_canvas
from workbench.core import audio_choice, caches, formatting, messages, reviewed_run, session, shown_style
from workbench.core.links import Page
from workbench.core.reviewed_run import ReviewedRun
from workbench.views.review import canvas_data, frame_audit

_CANVAS_KEY = "review_canvas"


def _load_reviewed_run(run: Run) -> ReviewedRun | None:
    try:
        return reviewed_run.load_reviewed_run(run)
    except TornReviewError as error:
        st.error(formatting.escape_markdown(str(error)))
        st.button("Remove the unfinished line", on_click=_repair_review, args=(run,), icon=":material/healing:")
    except ReviewError as error:
        st.error(formatting.escape_markdown(str(error)))
        # Amendments are evidence: a tool that rewrites them could hide a change, so only a torn line is repaired.
        st.info(
            "The amendments are evidence, so Veil does not repair them. Restore the file from a backup. Until then the "
            "run cannot be amended, signed or rendered."
        )
    except RecordError as error:
        st.error(formatting.escape_markdown(str(error)))
    run_header.show_home_link()
    return None


def _repair_review(run: Run) -> None:
    try:
        ReviewerActions(
            RunContext(session.get_data(), run, current_user.require_person()), caches.get_record_digest(run)
        ).repair()
    except VeilError as error:
        session.REVIEW_MESSAGE.set(messages.CanvasMessage(str(error), 0, bad=True))


def _apply_action(run_id: str) -> None:
    """Save the action that the canvas has just sent, before the page is drawn again."""
    action = get_action(_CANVAS_KEY, run_id)
    run = session.load_chosen_run()
    if action is None or run is None:
        return
    if "audio" in action:
        session.REVIEW_MESSAGE.set(audio_choice.apply_audio_action(run, current_user.require_person(), action))
        return
    # Loaded again, because another reviewer may have amended the run since the page was drawn.
    reviewed = reviewed_run.load_reviewed_run(run)
    actions = ReviewerActions(
        RunContext(session.get_data(), run, current_user.require_person()), reviewed.record_sha256
    )
    session.REVIEW_MESSAGE.set(canvas_data.apply_action(actions, reviewed, action))


def _read_notes(run: Run) -> tuple[Note, ...]:
    try:
        return read_notes(run)
    except ReviewError as error:
        # Notes are no evidence: a damaged file must not keep anyone from the review.
        st.warning(formatting.escape_markdown(str(error)))
        return ()


def _show_review(run: Run, reviewed: ReviewedRun) -> None:
    person, location = current_user.require_person(), session.get_location()
    viewed = caches.get_viewed_by_account(session.get_data(), run)
    screen = canvas_data.CanvasState(
        reviewed=reviewed,
        review_items=reviewed_run.list_review_items(reviewed),
        tracks=reviewed_run.list_track_lanes(reviewed),
        viewed=canvas_data.ViewedRanges.from_log(viewed, person.account),
        may_amend=access.is_allowed(person, "amend"),
        frame=location.frame,
        track=location.track,
        message=session.REVIEW_MESSAGE.get(),
        style=shown_style.get_shown_style_name(run),
        notes=_read_notes(run),
        audio_spans=audio_choice.get_audio_spans(run),
        newest_statement=find_next_step(run, access.read_policy(session.get_data()).persons).newest_statement,
    )
    show_review_canvas(_CANVAS_KEY, run.id, screen.to_data(), on_act=_apply_action)
    if access.is_allowed(person, "judge") and st.toggle("Random sample check"):
        frame_audit.show_frame_audit(reviewed)


def main() -> None:
    """Show the page."""
    run = run_header.open_run_page(Page.REVIEW, Page.SIGN_OFF)
    reviewed = None if run is None else _load_reviewed_run(run)
    if run is not None and reviewed is not None:
        _show_review(run, reviewed)


main()
