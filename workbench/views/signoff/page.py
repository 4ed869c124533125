"""The page Sign off from top to bottom: how far it is, what was released, what is decided and signed, and signing."""

from __future__ import annotations

import streamlit as st

from engine import release
from engine.errors import SignOffError, VeilError
from engine.review.coverage import ReviewCoverage, coverage
from engine.runs import Run
from workbench.components import run_header
from workbench.components.progress_bar import under_way
from workbench.core import caches, reviewed_run, session
from workbench.core.formatting import count, plain, sentence
from workbench.core.links import Page, Place
from workbench.core.page_table import way_to
from workbench.views.signoff import audio, drafts, findings, releases, signature_forms, style_editor, summary
from workbench.views.signoff.release_job import release_of


def show() -> None:
    """The page."""
    run = run_header.opened(Page.SIGN_OFF, Page.REVIEW)
    if run is None:
        return
    try:
        _show(run)
    except SignOffError as error:
        st.error(str(error))
        st.caption(
            "Until that is put right, nobody can sign or release this run. `veil audit verify` checks the whole log."
        )
        run_header.way_out()
    except VeilError as error:
        st.error(str(error))
        run_header.way_out()


def _show(run: Run) -> None:
    with st.spinner("Checking the run and the audit log"):
        data, style = session.data(), session.STYLES.get().get(run.id)
        case = caches.sign_off_case(data, run, style, session.AUDIO.get().get(run.id))
    busy = caches.works().under_way(release_of(run.id))
    unjudged = findings.open_findings(run)
    _how_far(run, case, len(unjudged))
    findings.judging(run, unjudged)
    releases.releases(run)
    looked = _summary(run, case)
    style_editor.decision(run, case)
    audio.decision(run, case)
    drafts.drafts(run, case)
    _what_is_signed(run, case, looked)
    signature_forms.signatures(case)
    _risk(run)
    if busy:
        st.info("It is being released; nothing can be signed until that has ended.", icon=":material/hourglass:")
        return
    signature_forms.forms(run, case)
    signature_forms.releasing(run, case, len(unjudged))


def _how_far(run: Run, case: release.Case, unjudged: int) -> None:
    """The steps of the sign-off, what comes next, and a release that is under way or came to nothing."""
    st.space("xsmall")
    for number, (step, place) in enumerate(zip(summary.steps(case), st.columns(3), strict=True), start=1):
        with place.container(border=True, height="stretch"):
            icon = ":green[:material/check_circle:]" if step.by else ":material/radio_button_unchecked:"
            st.markdown(f"{icon} **{number}. {step.title}**")
            st.caption(plain(step.by) if step.by else f"No more: {plain(step.void)}." if step.void else "Not yet.")
    if said := session.SIGNED.get():
        st.success(said)
        session.SIGNED.set(None)
    back = summary.sent_back(case)
    if back is not None:
        st.warning(f"{plain(back.name)} sent it back: {plain(back.reason or '')}", icon=":material/undo:")
    standing = caches.works().of(release_of(run.id))
    if standing is not None and not standing.ended:
        under_way(release_of(run.id))
        return
    if standing is not None and standing.failure:
        st.error(f"The release came to nothing: {standing.failure}")
    st.markdown(f"**Next:** {summary.next_step(case, unjudged)}")


def _summary(run: Run, case: release.Case) -> ReviewCoverage:
    mine = reviewed_run.case_of(run)
    spots = reviewed_run.spots_of(mine)
    looked = coverage(mine.record, spots, caches.viewed_of(session.data(), run))
    open_spots = sum(spot.state == "open" for spot in spots)
    st.header("Review", anchor=False)
    figures = st.columns(4)
    figures[0].metric("Amendments", f"{len(case.review.amendments):,}")
    figures[1].metric("Risk looked at", summary.risk_seen(looked) or "No spots")
    figures[2].metric("Open spots", f"{open_spots:,} of {len(spots):,}" if spots else "No spots")
    figures[3].metric("Frames seen", f"{looked.seen:,} of {looked.frames:,}")
    if left := list(summary.residual_sentences(looked, open_spots)):
        st.warning("Residual risk: " + " ".join(left), icon=":material/warning:")
        way_to(Page.REVIEW, "Go on with the review", Place(run.id))
    else:
        st.success(f"{'Every spot is decided' if spots else 'There are no doubtful spots'}, and every frame was seen.")
    if case.review.amendments:
        with st.expander(sentence(count(len(case.review.amendments), "amendment"))):
            st.html(summary.table(["No.", "What", "Who and when", "Why"], summary.amendments(case)))
    return looked


def _what_is_signed(run: Run, case: release.Case, looked: ReviewCoverage) -> None:
    st.header("What is signed", anchor=False)
    folded = reviewed_run.case_of(run).folded
    st.html(summary.named_values([*summary.facts(case, folded, looked), *summary.hashes(case)]))


def _risk(run: Run) -> None:
    """The measures of what may still be in an output, as they go into the certificate."""
    found = caches.risk_of(session.data(), run)
    st.header("Residual risk", anchor=False)
    st.caption(found.summary)
    cells = ((one.name, one.figure, one.means, one.means_not) for one in found.measures)
    rows = (tuple(map(sentence, row)) for row in cells)
    st.html(summary.table(["Measure", "Figure", "It means", "It does not mean"], rows))
