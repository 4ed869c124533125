"""The Sign off page from top to bottom: steps, findings, releases, review, style, audio, drafts and signatures."""

from __future__ import annotations

import streamlit as st

from engine import release
from engine.errors import SignOffError, VeilError
from engine.review.coverage import ReviewCoverage, measure_coverage
from engine.runs import Run
from workbench.components import run_header
from workbench.components.progress_bar import show_progress
from workbench.core import caches, reviewed_run, session
from workbench.core.formatting import escape_markdown, format_count, to_sentence
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import show_page_link
from workbench.views.signoff import audio, drafts, findings, releases, signature_forms, style_editor, summary
from workbench.views.signoff.release_job import name_release_task


def show() -> None:
    """The page."""
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
        case = caches.get_sign_off_snapshot(data, run, style, session.CHOSEN_AUDIO_SPANS.get().get(run.id))
    busy = caches.get_background_tasks().is_running(name_release_task(run.id))
    unjudged = findings.list_open_findings(run)
    _show_steps(run, case, len(unjudged))
    findings.show_findings(run, unjudged)
    releases.show_releases(run)
    looked = _show_review(run, case)
    style_editor.show_style_decision(run, case)
    audio.show_audio_decision(run, case)
    drafts.show_drafts(run, case)
    _show_signed_facts(run, case, looked)
    signature_forms.show_signatures(case)
    _show_risk(run)
    if busy:
        st.info("Releasing. Signing is available again when it finishes.", icon=":material/hourglass:")
        return
    signature_forms.show_forms(run, case)
    signature_forms.show_release_form(run, case, len(unjudged))


def _show_steps(run: Run, snapshot: release.SignOffSnapshot, unjudged_count: int) -> None:
    """Show the steps of the sign-off, the next one, and a release that is running or has stopped."""
    st.space("xsmall")
    for number, (step, place) in enumerate(zip(snapshot.sign_off.list_steps(), st.columns(3), strict=True), start=1):
        with place.container(border=True, height="stretch"):
            icon = ":green[:material/check_circle:]" if step.statement else ":material/radio_button_unchecked:"
            st.markdown(f"{icon} **{number}. {step.meaning.capitalize()}**")
            st.caption(escape_markdown(summary.describe_step(step)))
    if said := session.SIGNATURE_MESSAGE.get():
        st.success(said)
        session.SIGNATURE_MESSAGE.set(None)
    if back := snapshot.sign_off.rejection:
        st.warning(
            f"{escape_markdown(back.name)} sent this run back: {escape_markdown(back.reason or '')}",
            icon=":material/undo:",
        )
    standing = caches.get_background_tasks().find_state(name_release_task(run.id))
    if standing is not None and not standing.ended:
        show_progress(name_release_task(run.id))
        return
    if standing is not None and standing.failure:
        st.error(f"Release stopped: {standing.failure}")
    st.markdown(f"**Next:** {summary.describe_next_step(snapshot.sign_off, unjudged_count)}")


def _show_review(run: Run, snapshot: release.SignOffSnapshot) -> ReviewCoverage:
    mine = reviewed_run.load_reviewed_run(run)
    spots = reviewed_run.list_review_items(mine)
    looked = measure_coverage(mine.record, spots, caches.get_viewed_by_account(session.get_data(), run))
    open_spots = sum(spot.state == "open" for spot in spots)
    st.header("Review", anchor=False)
    figures = st.columns(4)
    figures[0].metric("Amendments", f"{len(snapshot.review.amendments):,}")
    figures[1].metric("Risk reviewed", summary.format_risk_seen(looked) or "Nothing to check")
    figures[2].metric("Still to check", f"{open_spots:,} of {len(spots):,}" if spots else "Nothing to check")
    figures[3].metric("Frames viewed", f"{looked.seen:,} of {looked.frames:,}")
    if left := list(summary.describe_open_points(looked, open_spots)):
        st.warning("Residual risk: " + " ".join(left), icon=":material/warning:")
        show_page_link(Page.REVIEW, "Continue review", PageLocation(run.id))
    else:
        st.success(f"{'Every item is checked' if spots else 'There was nothing to check'}, and every frame was viewed.")
    if snapshot.review.amendments:
        with st.expander(to_sentence(format_count(len(snapshot.review.amendments), "amendment"))):
            st.html(summary.build_table(["No.", "Amendment", "By", "Reason"], summary.describe_amendments(snapshot)))
    return looked


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
    found = caches.get_residual_risk(session.get_data(), run)
    st.header("Residual risk", anchor=False)
    st.caption(found.summary)
    cells = ((one.name, one.figure, one.means, one.means_not) for one in found.measures)
    rows = (tuple(map(to_sentence, row)) for row in cells)
    st.html(summary.build_table(["Measure", "Figure", "It means", "It does not mean"], rows))
