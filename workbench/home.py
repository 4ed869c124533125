"""The parts of the Home page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from engine import access
from engine.detectors import weights
from engine.errors import AccessError, SignOffError, VeilError
from engine.jobs.queue import submit
from engine.media.sample import make_sample
from engine.review.approval import read_statement
from engine.runs import Asked, Register, Run
from workbench import runlist, session
from workbench.links import Page
from workbench.pages import way_to

SAMPLE = "sample interview.mp4"


def may(action: access.Action) -> bool:
    """Whether who is at work may do something; the engine asks again when they do it."""
    try:
        access.require(session.person(used=False), action)
    except AccessError:
        return False
    return True


def beginning() -> None:
    """What to do where there is nothing yet."""
    st.markdown(
        "Nothing has been detected yet. Choose a video on the Detect page; its faces are found in the background, and "
        "then it is reviewed and signed off here."
    )
    if not may("detect"):
        st.caption("Somebody with the role operator starts the first run.")
        return
    way_to(Page.DETECT, "Detect your first video")
    st.markdown("Or see how it goes with a clip that comes with Veil: a man talking in a car, four seconds long.")
    if st.button("Try it with the sample clip", icon=":material/movie:"):
        _sample()


def _sample() -> None:
    data = session.data()
    missing = [name for name, state in weights.verify(data.models) if state != "ok"]
    if missing:
        st.error(
            f"The models of the detectors are missing or changed ({', '.join(missing)}): run `veil models fetch` in a "
            "terminal, then try again."
        )
        return
    try:
        with st.spinner("Making the sample clip"):
            make_sample(data.footage / SAMPLE)
        submit(data, session.person(), data.footage / SAMPLE, Asked())
    except VeilError as error:
        st.error(str(error))
        return
    st.rerun()


def overview(register: Register) -> None:
    """What waits, what runs, what was released."""
    groups = _grouped(register.runs)
    for column, group in zip(st.columns(len(groups)), groups, strict=True):
        column.metric(group.short, len(group.runs), border=True)
    for group in groups:
        if group.runs or group.otherwise:
            st.header(group.title)
            if not group.runs:
                st.caption(group.otherwise)
            runlist.show(group.runs, _wanting)
    runlist.damage(register.damaged)


@dataclass(frozen=True, slots=True)
class _Group:
    """Runs that belong together: a title, a shorter one, and what stands there when there are none."""

    short: str
    title: str
    otherwise: str
    runs: list[Run]


def _grouped(runs: Iterable[Run]) -> list[_Group]:
    mine, others, active, stuck, released = (
        _Group(*_MINE, []),
        _Group(*_OTHERS, []),
        *(_Group(*one, []) for one in _REST),
    )
    for run in runs:
        if run.resumable:
            group = stuck
        elif run.status != "done":
            group = active
        elif (step := _next_step(run)) is None:
            group = released
        else:
            group = mine if may(step.action) else others
        group.runs.append(run)
    return [mine, active, others, stuck, released]


@dataclass(frozen=True, slots=True)
class _Step:
    """What has to be done with a run next, and what one has to be allowed to do for it."""

    words: str
    action: access.Action


_MINE = ("Waiting for you", "Waiting for you", "Nothing waits for you.")
_OTHERS = ("Waiting for others", "Waiting for others", "")
_REST = (
    ("Running", "Running and queued", "Nothing runs."),
    ("Without an end", "Came to no end", ""),
    ("Released", "Released", "Nothing has been released yet."),
)
_REVIEW, _APPROVE, _RELEASE = (
    _Step("waits for review", "amend"),
    _Step("waits for approval", "sign-approved"),
    _Step("waits for release", "release"),
)


def _next_step(run: Run) -> _Step | None:
    """By the newest signature; whether it still counts is for the sign-off to say."""
    signatures = sorted(run.folder.signatures.glob("*.json"))
    if not signatures:
        return _REVIEW
    try:
        meaning = read_statement(signatures[-1].read_bytes(), signatures[-1].name).meaning
    except SignOffError:
        return _APPROVE  # where it is said what is wrong with it
    return {"reviewed": _APPROVE, "approved": _RELEASE, "rejected": _REVIEW, "released": None}[meaning]


def _wanting(run: Run) -> str | None:
    """What a run that is done waits for, in words."""
    step = _next_step(run) if run.status == "done" else None
    return step.words if step else None
