"""The Sign off page: a stepper from the summary to the release, one step on the screen at a time."""

from __future__ import annotations

import streamlit as st

from engine import release
from engine.assurance.leak_check.report import Leak
from engine.errors import SignOffError, VeilError
from engine.runs import Run
from workbench.components import run_header
from workbench.components.progress_bar import show_progress
from workbench.components.task_outcome import show_outcome
from workbench.core import caches, formatting, session
from workbench.core.formatting import escape_markdown
from workbench.core.links import Page
from workbench.views.signoff import (
    audio,
    drafts,
    findings,
    notes,
    releases,
    review_summary,
    several,
    signature_forms,
    stepper,
    style_editor,
    summary,
)
from workbench.views.signoff.release_job import name_draft_task, name_release_task
from workbench.views.signoff.review_summary import MeasuredReview


def show() -> None:
    """Show the page."""
    run = run_header.open_run_page(Page.SIGN_OFF, Page.REVIEW, several.show_several, _show_outcomes)
    if run is None:
        return
    try:
        _show_run(run)
    except SignOffError as error:
        st.error(formatting.escape_markdown(str(error)))
        st.caption(
            "This run cannot be signed or released until this is fixed. Run `veil audit verify` to check the whole log."
        )
        run_header.show_home_link()
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))
        _show_outcomes(run)
        run_header.show_home_link()


def _show_outcomes(run: Run) -> None:
    """Show what stopped a release and a draft: it may be another thing than what is wrong with the run now."""
    _show_release_outcome(run)
    drafts.show_draft_outcome(run)


def _show_release_outcome(run: Run) -> None:
    show_outcome(name_release_task(run.id), "Release stopped: ")


def _show_run(run: Run) -> None:
    with st.spinner("Checking the run and the audit log"):
        data, style = session.get_data(), session.CHOSEN_STYLES.get().get(run.id)
        snapshot = caches.get_sign_off_snapshot(data, run, style, session.CHOSEN_AUDIO_SPANS.get().get(run.id))
        review = review_summary.measure_review(run)
    unjudged = findings.list_open_findings(run)
    standing = stepper.Standing(
        snapshot=snapshot,
        open_items=review.open_count,
        drafts=len(release.list_drafts(run)),
        drafting=caches.get_background_tasks().is_running(name_draft_task(run.id)),
        findings=len(unjudged),
        busy=caches.get_background_tasks().is_running(name_release_task(run.id)),
    )
    step = stepper.show_stepper(run, standing)
    # In a container of its own, so that a message moves no form: what moves is drawn twice until the page is complete.
    with st.container():
        _show_news(run, snapshot, len(unjudged))
    match step:
        case "check":
            review_summary.show_summary(run, snapshot, review)
        case "look":
            drafts.show_drafts(run, snapshot)
        case "style":
            style_editor.show_style_decision(run, snapshot)
            audio.show_audio_decision(run, snapshot)
        case "sign":
            _show_signing(run, snapshot, review, is_busy=standing.busy)
        case "release":
            _show_release(run, snapshot, unjudged, is_busy=standing.busy)
    stepper.show_bar(run, step, standing)


def _show_news(run: Run, snapshot: release.SignOffSnapshot, unjudged_count: int) -> None:
    """Show what concerns every step: the newest signature, a return, a release that runs or has stopped."""
    if message := session.SIGNATURE_MESSAGE.take():
        st.success(message)
    if rejection := snapshot.sign_off.rejection:
        notes.show_rejection(run, rejection)
    task_state = caches.get_background_tasks().find_state(name_release_task(run.id))
    if task_state is not None and not task_state.ended:
        show_progress(name_release_task(run.id))
        return
    _show_release_outcome(run)
    for signed in snapshot.sign_off.list_steps():
        if signed.void_reasons and not snapshot.sign_off.rejection:
            reasons = escape_markdown("; ".join(signed.void_reasons))
            st.warning(f"{signed.meaning.capitalize()} is no longer valid: {reasons}.", icon=":material/block:")
    st.markdown(f"**Next:** {summary.describe_next_step(snapshot.sign_off, unjudged_count)}")


def _show_signing(run: Run, snapshot: release.SignOffSnapshot, review: MeasuredReview, *, is_busy: bool) -> None:
    if is_busy:
        st.info("Releasing. Signing is available again when it finishes.", icon=":material/hourglass:")
    else:
        signature_forms.show_exceptions(snapshot)
        signature_forms.show_forms(run, snapshot, review.figures)
    signature_forms.show_signatures(snapshot)


def _show_release(run: Run, snapshot: release.SignOffSnapshot, unjudged: tuple[Leak, ...], *, is_busy: bool) -> None:
    if is_busy:
        st.info(
            "Releasing. The bar fills once for each part: rendering, verification, the check for visible faces, and a "
            "test of the detection. You can close this page: it continues in the background.",
            icon=":material/hourglass:",
        )
    else:
        findings.show_findings(run, unjudged)
        signature_forms.show_release_form(run, snapshot, len(unjudged))
    releases.show_releases(run)
