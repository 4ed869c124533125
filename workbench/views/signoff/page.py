"""The Sign off page from top to bottom: steps, findings, releases, review, style, audio, drafts and signatures."""

from __future__ import annotations

import streamlit as st

from engine import release
from engine.core.wording import format_count, to_sentence
from engine.errors import SignOffError, VeilError
from engine.review.coverage import ReviewCoverage, measure_coverage
from engine.runs import Run
from workbench.components import run_header
from workbench.components.progress_bar import show_progress
from workbench.core import caches, reviewed_run, session
from workbench.core.formatting import escape_markdown
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import show_page_link
from workbench.views.signoff import audio, drafts, findings, releases, signature_forms, style_editor, summary
from workbench.views.signoff.release_job import name_release_task


def show() -> None:
    """Show the page."""
    run = run_header.open_run_page(Page.SIGN_OFF, Page.REVIEW)
    if run is None:
        return
    try:
        _show_run(run)
    except SignOffError as error:
        st.error(str(error))
        st.caption(
            "This run cannot be signed or released until this is fixed. Run `veil audit verify` to check the whole log."
        )
        run_header.show_home_link()
    except VeilError as error:
        st.error(str(error))
        run_header.show_home_link()


def _show_run(run: Run) -> None:
    with st.spinner("Checking the run and the audit log"):
        data, style = session.get_data(), session.CHOSEN_STYLES.get().get(run.id)
        snapshot = caches.get_sign_off_snapshot(data, run, style, session.CHOSEN_AUDIO_SPANS.get().get(run.id))
    busy = caches.get_background_tasks().is_running(name_release_task(run.id))
    unjudged = findings.list_open_findings(run)
    _show_steps(run, snapshot, len(unjudged))
    findings.show_findings(run, unjudged)
    releases.show_releases(run)
    review_coverage = _show_review(run, snapshot)
    style_editor.show_style_decision(run, snapshot)
    audio.show_audio_decision(run, snapshot)
    drafts.show_drafts(run, snapshot)
    _show_signed_facts(run, snapshot, review_coverage)
    signature_forms.show_signatures(snapshot)
    _show_risk(run)
    if busy:
        st.info("Releasing. Signing is available again when it finishes.", icon=":material/hourglass:")
        return
    signature_forms.show_forms(run, snapshot)
    signature_forms.show_release_form(run, snapshot, len(unjudged))


def _show_steps(run: Run, snapshot: release.SignOffSnapshot, unjudged_count: int) -> None:
    """Show the steps of the sign-off, the next one, and a release that is running or has stopped."""
    st.space("xsmall")
    for number, (step, place) in enumerate(zip(snapshot.sign_off.list_steps(), st.columns(3), strict=True), start=1):
        with place.container(border=True, height="stretch"):
            icon = ":green[:material/check_circle:]" if step.statement else ":material/radio_button_unchecked:"
            st.markdown(f"{icon} **{number}. {step.meaning.capitalize()}**")
            st.caption(escape_markdown(summary.describe_step(step)))
    if message := session.SIGNATURE_MESSAGE.get():
        st.success(message)
        session.SIGNATURE_MESSAGE.set(None)
    if rejection := snapshot.sign_off.rejection:
        st.warning(
            f"{escape_markdown(rejection.name)} sent this run back: {escape_markdown(rejection.reason or '')}",
            icon=":material/undo:",
        )
    task_state = caches.get_background_tasks().find_state(name_release_task(run.id))
    if task_state is not None and not task_state.ended:
        show_progress(name_release_task(run.id))
        return
    if task_state is not None and task_state.failure:
        st.error(f"Release stopped: {task_state.failure}")
    st.markdown(f"**Next:** {summary.describe_next_step(snapshot.sign_off, unjudged_count)}")


def _show_review(run: Run, snapshot: release.SignOffSnapshot) -> ReviewCoverage:
    reviewed = reviewed_run.load_reviewed_run(run)
    items = reviewed_run.list_review_items(reviewed)
    review_coverage = measure_coverage(reviewed.record, items, caches.get_viewed_by_account(session.get_data(), run))
    open_count = sum(item.state == "open" for item in items)
    st.header("Review", anchor=False)
    figures = st.columns(4)
    figures[0].metric("Amendments", f"{len(snapshot.review.amendments):,}")
    figures[1].metric("Risk reviewed", summary.format_risk_seen(review_coverage) or "Nothing to check")
    figures[2].metric("Still to check", f"{open_count:,} of {len(items):,}" if items else "Nothing to check")
    figures[3].metric("Frames viewed", f"{review_coverage.seen:,} of {review_coverage.frames:,}")
    if open_points := list(summary.describe_open_points(review_coverage, open_count)):
        st.warning("Residual risk: " + " ".join(open_points), icon=":material/warning:")
        show_page_link(Page.REVIEW, "Continue review", PageLocation(run.id))
    else:
        st.success(f"{'Every item is checked' if items else 'There was nothing to check'}, and every frame was viewed.")
    if snapshot.review.amendments:
        with st.expander(to_sentence(format_count(len(snapshot.review.amendments), "amendment"))):
            st.html(summary.build_table(["No.", "Amendment", "By", "Reason"], summary.describe_amendments(snapshot)))
    return review_coverage


def _show_signed_facts(run: Run, snapshot: release.SignOffSnapshot, review_coverage: ReviewCoverage) -> None:
    st.header("Signature covers", anchor=False)
    folded = reviewed_run.load_reviewed_run(run).amended
    st.html(
        summary.build_value_table(
            [*summary.list_signed_facts(snapshot, folded, review_coverage), *summary.list_hashes(snapshot)]
        )
    )


def _show_risk(run: Run) -> None:
    """Show the measures of residual risk as the certificate states them."""
    risk = caches.get_residual_risk(session.get_data(), run)
    st.header("Residual risk", anchor=False)
    st.caption(risk.summary)
    cells = ((measure.name, measure.figure, measure.means, measure.means_not) for measure in risk.measures)
    rows = (tuple(map(to_sentence, row)) for row in cells)
    st.html(summary.build_table(["Measure", "Figure", "It means", "It does not mean"], rows))
