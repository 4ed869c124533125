"""The parts of the Home page."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from engine import access
from engine.detectors import weights
from engine.errors import AccessError, VeilError
from engine.jobs.queue import submit
from engine.media.sample import make_sample
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
    active = [run for run in register.runs if run.status in {"running", "queued"}]
    stuck = [run for run in register.runs if run.resumable]
    done = [run for run in register.runs if run.status == "done"]
    released = [run for run in done if _released(run)]
    waiting = [run for run in done if run not in released]
    figures = st.columns(4)
    for column, name, count in zip(
        figures,
        ("Running or queued", "Waiting for review", "Came to no end", "Released"),
        (len(active), len(waiting), len(stuck), len(released)),
        strict=True,
    ):
        column.metric(name, count, border=True)
    _section("Running", active, "Nothing runs.")
    _section("Waiting for review and sign-off", waiting, "Nothing waits.")
    if stuck:
        _section("Came to no end", stuck, "")
    _section("Released", released, "Nothing has been released yet.")
    runlist.damage(register.damaged)


def _section(title: str, runs: Iterable[Run], otherwise: str) -> None:
    st.subheader(title)
    listed = list(runs)
    if not listed:
        st.caption(otherwise)
    runlist.going_on([run for run in listed if run.status in {"running", "queued"}])
    runlist.history([run for run in listed if run.status not in {"running", "queued"}])


def _released(run: Run) -> bool:
    return run.folder.releases.is_dir() and any(run.folder.releases.glob("*/certificate.json"))
