"""The findings section of the Sign off page: possible visible faces that block the release until judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, get_args

import streamlit as st

from engine import access, release
from engine.access.run_context import RunContext
from engine.assurance.leak_check.report import Leak, LeakJudgement, LeakVerdict
from engine.core.frame_ranges import describe_range
from engine.core.wording import to_sentence
from engine.errors import VeilError
from engine.runs import Run
from workbench.auth import current_user
from workbench.components.face_tiles import build_tile, show_tiles
from workbench.core import formatting, reviewed_run, session, shown_style
from workbench.core.formatting import escape_markdown
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import show_page_link
from workbench.views.signoff import summary

_VERDICT_LABELS = {
    "no face": "Not a face",
    "hidden": "Face, not recognisable",
    "allowed": "Face, allowed to be visible",
    "leak": "Face that must be masked",
}


def list_open_findings(run: Run) -> tuple[Leak, ...]:
    """List the findings that block the release of a run.

    Raises:
        SignOffError: a report or a judgement was tampered with.
    """
    report = release.read_newest_leak_report(session.get_data(), run)
    return release.list_open_leaks(session.get_data(), run, report) if report else ()


def show_findings(run: Run, unjudged: Sequence[Leak]) -> None:
    """Show the findings that are not judged yet, each with a form if this person may judge."""
    if not unjudged:
        return
    st.header(f"Possible visible faces ({len(unjudged)}): release is blocked", anchor=False)
    st.caption(
        "A face may still be visible at these places of the rendered video. Judge each finding here, or amend it in "
        "Review. Then release again."
    )
    may_judge = access.is_allowed(current_user.require_person(), "judge")
    if not may_judge:
        st.info("You need the Reviewer or Approver role to judge findings.", icon=":material/lock:")
    judgements = {judgement.leak: judgement for judgement in release.read_judgements(session.get_data(), run)}
    for leak in unjudged:
        _show_finding(run, leak, judgements.get(leak.key), may_judge=may_judge)


def _show_finding(run: Run, leak: Leak, judgement: LeakJudgement | None, *, may_judge: bool) -> None:
    case = reviewed_run.load_reviewed_run(run)
    size = case.record.source.video.display
    source = summary.build_still_address(run, leak.frame, shown_style.get_shown_style_name(run), case.review.sha256)
    with st.container(border=True):
        picture, words = st.columns([2, 5], gap="medium")
        with picture:
            show_tiles([build_tile(f"Frame {leak.frame}, as it would be released", source, leak.box, size)])
        with words:
            st.markdown(
                f"**{to_sentence(describe_range(leak.first, leak.last + 1))}**: {escape_markdown(leak.finding)}"
            )
            # An open finding with a judgement was judged a leak: any other judgement closes it.
            if judgement is not None:
                st.markdown(
                    f"{escape_markdown(judgement.by.name)} judged it a leak ({escape_markdown(judgement.reason)}). "
                    "Amend it in Review."
                )
            show_page_link(Page.REVIEW, "Open in Review", PageLocation(run.id, leak.frame))
            if may_judge:
                _show_form(run, leak)


def _show_form(run: Run, leak: Leak) -> None:
    with st.form(f"leak-{leak.key}", border=False):
        # Nothing is chosen beforehand, because this decides whether a face may be seen.
        verdict = st.radio(
            "Judgement",
            get_args(LeakVerdict),
            format_func=_VERDICT_LABELS.__getitem__,
            index=None,
            key=f"verdict-{leak.key}",
        )
        reason = st.text_input("Reason (required)", key=f"reason-{leak.key}")
        if st.form_submit_button("Judge"):
            _submit_judgement(run, leak.key, verdict, reason)


def _submit_judgement(run: Run, leak: str, verdict: str | None, reason: str) -> None:
    if verdict is None:
        st.error("Choose a judgement.")
        return
    try:
        release.judge_leak(
            RunContext.open(session.get_data(), run.id, current_user.require_person()),
            leak,
            cast("LeakVerdict", verdict),
            reason,
        )
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))
    else:
        st.rerun()
