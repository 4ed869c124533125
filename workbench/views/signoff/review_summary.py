"""The first step of the Sign off page: what was found, what was decided, and what is still open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import streamlit as st

from engine import release
from engine.approval.review_policy import ReviewFigures, build_figures
from engine.core.frame_ranges import describe_range
from engine.core.wording import format_count, to_sentence
from engine.review.coverage import ReviewCoverage, measure_coverage
from engine.review.queue import ReviewItem
from engine.runs import Run
from workbench.auth import current_user
from workbench.core import caches, reviewed_run, session
from workbench.core.formatting import escape_markdown
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import show_page_link
from workbench.core.reviewed_run import ReviewedRun
from workbench.views.signoff import notes, signature_forms, summary


@dataclass(frozen=True, slots=True)
class MeasuredReview:
    """The review of a run with its figures.

    Attributes:
        reviewed: the run with its record and amendments.
        items: the items to check.
        coverage: what was viewed.
        figures: what the policy is compared with, for the person at this page.
    """

    reviewed: ReviewedRun
    items: Sequence[ReviewItem]
    coverage: ReviewCoverage
    figures: ReviewFigures

    @property
    def open_count(self) -> int:
        """Return the number of items that are still open."""
        return sum(item.state == "open" for item in self.items)


def measure_review(run: Run) -> MeasuredReview:
    """Measure the review of a run, as the engine measures it when somebody signs."""
    reviewed = reviewed_run.load_reviewed_run(run)
    items = reviewed_run.list_review_items(reviewed)
    coverage = measure_coverage(reviewed.record, items, caches.get_viewed_by_account(session.get_data(), run))
    checked = release.is_sample_checked(session.get_data(), run, reviewed.record_sha256)
    account = current_user.require_person().account
    return MeasuredReview(reviewed, items, coverage, build_figures(items, coverage, account, sample_checked=checked))


def show_summary(run: Run, snapshot: release.SignOffSnapshot, review: MeasuredReview) -> None:
    """Show the figures, the decisions that leave something visible, and the details folded away."""
    figures = st.columns(4)
    figures[0].metric(
        "Still to check", f"{review.open_count:,} of {len(review.items):,}" if review.items else "Nothing to check"
    )
    figures[1].metric("Frames viewed", f"{review.coverage.seen:,} of {review.coverage.frames:,}")
    figures[2].metric("Risk reviewed", summary.format_risk_seen(review.coverage) or "Nothing to check")
    figures[3].metric("Amendments", f"{len(snapshot.review.amendments):,}")
    if open_points := list(summary.describe_open_points(review.coverage, review.open_count)):
        st.warning(" ".join(open_points), icon=":material/warning:")
        show_page_link(Page.REVIEW, "Continue review", PageLocation(run.id))
    else:
        done = "Every item is checked" if review.items else "There was nothing to check"
        st.success(f"{done}, and every frame was viewed.")
    signature_forms.show_exceptions(snapshot)
    _show_visible_faces(review.reviewed)
    notes.show_notes(run, snapshot)
    _show_details(run, snapshot, review)


def _show_visible_faces(reviewed: ReviewedRun) -> None:
    """List the masks that a person removed or left out, because they decide who can be seen."""
    decisions = list(_describe_visible_faces(reviewed))
    if not decisions:
        st.markdown(":material/visibility_off: No mask was removed, and nobody is kept visible.")
        return
    st.markdown("**Decided to be visible**")
    st.html(summary.build_table(["Decision", "Where", "By", "Reason"], decisions))


def _describe_visible_faces(reviewed: ReviewedRun) -> Iterator[tuple[str, str, str, str]]:
    for mask in reviewed.amended.find_removed():
        where = f"track {mask.track}, {describe_range(mask.start, mask.stop)}"
        yield "Mask removed", where, mask.by.name, mask.reason or "no reason given"
    for face in reviewed.amended.find_kept_visible():
        yield "Kept visible", f"track {face.track}, {describe_range(face.start, face.stop)}", face.by.name, face.reason


def _show_details(run: Run, snapshot: release.SignOffSnapshot, review: MeasuredReview) -> None:
    amendments = snapshot.review.amendments
    if amendments:
        with st.expander(to_sentence(format_count(len(amendments), "amendment"))):
            st.html(summary.build_table(["No.", "Amendment", "By", "Reason"], summary.describe_amendments(snapshot)))
    with st.expander("What a signature covers"):
        facts = summary.list_signed_facts(snapshot, review.reviewed.amended, review.coverage)
        st.html(summary.build_value_table([*facts, *summary.list_hashes(snapshot)]))
    _show_risk(run)
    signature_forms.show_signatures(snapshot)


def _show_risk(run: Run) -> None:
    """Show the measures of residual risk as the certificate states them."""
    risk = caches.get_residual_risk(session.get_data(), run)
    with st.expander(f"Residual risk: {escape_markdown(risk.summary)}"):
        cells = ((measure.name, measure.figure, measure.means, measure.means_not) for measure in risk.measures)
        rows = (tuple(map(to_sentence, row)) for row in cells)
        st.html(summary.build_table(["Measure", "Figure", "It means", "It does not mean"], rows))
