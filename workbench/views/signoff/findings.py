"""Findings that hold a release up, on the page Sign off, each to be judged by a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, get_args

import streamlit as st

from engine import access, release
from engine.assurance.leak_check.report import Leak, LeakJudgement, Verdict
from engine.core.frame_ranges import named
from engine.errors import VeilError
from engine.runs import Run
from workbench.auth import current_user
from workbench.components.face_tiles import tile, tiles
from workbench.core import reviewed_run, session, shown_style
from workbench.core.formatting import count, plain, sentence
from workbench.core.links import Page, Place
from workbench.core.page_table import way_to
from workbench.views.signoff import summary

_MEANS = {
    "no face": "No face is there",
    "hidden": "A face, and nobody could tell whose",
    "allowed": "A face that may be seen",
    "leak": "A face that must not be seen",
}


def open_findings(run: Run) -> tuple[Leak, ...]:
    """The findings that hold a release of a run up.

    Raises:
        SignOffError: a report or a judgement was tampered with.
    """
    report = release.newest_leaks(session.data(), run)
    return release.open_leaks(session.data(), run, report) if report else ()


def judging(run: Run, unjudged: Sequence[Leak]) -> None:
    """Show the findings that nobody has judged, each with a form where this person may judge."""
    if not unjudged:
        return
    st.header("Findings that hold the release up", anchor=False)
    st.caption(
        f"{sentence(count(len(unjudged), 'place'))} in the rendered video may still show a face. Judge each one, or "
        "amend it in Review; then release again."
    )
    may = access.may(current_user.person(), "judge")
    if not may:
        st.info("Judging takes the role reviewer or approver.", icon=":material/lock:")
    said = {one.leak: one for one in release.judgements(session.data(), run)}
    for leak in unjudged:
        _finding(run, leak, said.get(leak.key), may=may)


def _finding(run: Run, leak: Leak, said: LeakJudgement | None, *, may: bool) -> None:
    case = reviewed_run.case_of(run)
    size = case.record.source.video.display
    source = summary.still(run, leak.frame, shown_style.shown(run), case.review.sha256)
    with st.container(border=True):
        picture, words = st.columns([2, 5], gap="medium")
        with picture:
            tiles([tile(f"Frame {leak.frame}, as it would be released", source, leak.box, size)])
        with words:
            st.markdown(f"**{sentence(named(leak.first, leak.last + 1))}**: {plain(leak.finding)}")
            if said is not None:
                st.markdown(f"{plain(said.by.name)} judged it a leak ({plain(said.reason)}): amend it in Review.")
            way_to(Page.REVIEW, "Look at it in Review", Place(run.id, leak.frame))
            if may:
                _form(run, leak)


def _form(run: Run, leak: Leak) -> None:
    with st.form(f"leak-{leak.key}", border=False):
        verdict = st.radio(
            "Verdict", get_args(Verdict), format_func=_MEANS.__getitem__, index=None, key=f"verdict-{leak.key}"
        )
        reason = st.text_input("Reason (needed)", key=f"reason-{leak.key}")
        if st.form_submit_button("Judge"):
            _judge(run, leak.key, verdict, reason)


def _judge(run: Run, leak: str, verdict: str | None, reason: str) -> None:
    if verdict is None:
        st.error("Choose a verdict.")
        return
    try:
        release.judge(session.data(), run.id, current_user.person(), leak, cast("Verdict", verdict), reason)
    except VeilError as error:
        st.error(str(error))
    else:
        st.rerun()
