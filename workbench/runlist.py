"""Lists of runs: those that wait or run, with their progress, and those that are over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from engine import runs
from engine.access import Person
from engine.errors import VeilError
from engine.jobs.queue import cancel, resume, start_worker
from engine.jobs.thumbnails import latest
from engine.runs import DamagedRun, Register, Run
from engine.store import Data
from workbench import session, wording
from workbench.links import Page, Place, link
from workbench.pages import way_to

_ACTIVITIES = {"probe": "reading the file", "detect": "finding faces", "render": "rendering", "verify": "checking"}
_STATES = {
    "queued": ("waiting", "gray", ":material/schedule:"),
    "running": ("running", "blue", ":material/progress_activity:"),
    "done": ("done", "green", ":material/check:"),
    "failed": ("failed", "red", ":material/error:"),
    "cancelled": ("cancelled", "gray", ":material/block:"),
    "interrupted": ("interrupted", "orange", ":material/power_off:"),
}
_WAYS = (Page.REVIEW, Page.ANALYSE, Page.SIGN_OFF)
_RECENT = 8
EVERY = 1.0
"""Seconds after which a list that is watched is looked up again."""


def show_register(register: Register) -> None:
    """All runs: what goes on, what is over, and what is damaged."""
    if not (register.runs or register.damaged):
        st.caption("No runs yet.")
    show(register.runs)
    damage(register.damaged)


def looked_up() -> Register:
    """The runs as they stand; where some wait and nobody works on them, somebody starts to."""
    register = runs.register(session.data())
    if any(run.status == "queued" for run in register.runs) and all(run.status != "running" for run in register.runs):
        start_worker(session.data())
    return register


def show(runs: Sequence[Run], wanting: Callable[[Run], str | None] = lambda _: None) -> None:
    """Runs, those that go on first; `wanting` says what one that is done waits for."""
    active = [run for run in runs if run.status in {"running", "queued"}]
    over = [run for run in runs if run not in active]
    for run in sorted(active, key=lambda run: (run.status != "running", run.id)):
        with st.container(border=True):
            _progress(run)
    for run in over[:_RECENT]:
        with st.container(border=True):
            _ended(run, wanting(run))
    if over[_RECENT:]:
        with st.expander(wording.count(len(over) - _RECENT, "older run")):
            _table(over[_RECENT:])


def damage(damaged: tuple[DamagedRun, ...]) -> None:
    """Folders among the runs that cannot be read."""
    for one in damaged:
        st.warning(one.sentence, icon=":material/folder_off:")


def _progress(run: Run) -> None:
    picture, text, button = st.columns([1, 4, 1], vertical_alignment="center")
    with picture:
        _thumbnail(run)
    with text:
        _heading(run)
        _bar(run)
    with button:
        _cancel(run)


def _bar(run: Run) -> None:
    state = run.state
    if run.status == "queued":
        st.caption("Waits for the runs before it.")
        return
    share = min(1.0, state.done / state.total) if state.total else 0.0
    st.progress(share, text=_pace(run))
    if state.sentence:
        st.caption(state.sentence)


def _pace(run: Run) -> str:
    """How far it is, how fast, how long still."""
    state = run.state
    if run.cancelling:
        return "Stops as soon as what is under way is finished."
    if state.activity is None:
        return "Begins."
    words = _ACTIVITIES.get(state.activity, state.activity).capitalize()
    if state.activity != "detect" or not state.total:
        return words
    told = [f"{words}: {state.done:,} of {wording.count(state.total, 'frame')}"]
    if state.rate:
        told += [f"{state.rate:.1f} frames/s", f"{wording.duration((state.total - state.done) / state.rate)} left"]
    return " · ".join([*told, f"{wording.count(state.faces, 'face')} so far"])


def _thumbnail(run: Run) -> None:
    path = latest(run.folder)
    if path is None:
        st.caption("No picture yet" if run.status == "running" else "")
        return
    st.image(path.read_bytes(), width="stretch", alt=f"A masked frame of {run.title}")


def _ended(run: Run, wanting: str | None) -> None:
    text, buttons = st.columns([5, 1], vertical_alignment="center")
    with text:
        _heading(run, wanting)
        if run.status == "interrupted":
            st.markdown("The process that worked on it has ended; what it had finished is kept.")
        elif run.state.sentence:
            st.markdown(wording.plain(run.state.sentence))
    with buttons:
        _resume(run)
        if run.status == "done":
            _ways_on(run)


def _ways_on(run: Run) -> None:
    for page in _WAYS:
        way_to(page, place=Place(run.id))


def _heading(run: Run, wanting: str | None = None) -> None:
    words, colour, icon = _STATES[run.status]
    told = [run.request.detection.mode, wording.plain(run.request.name), wording.moment(run.request.at)]
    if run.status == "done":
        told += [wording.count(run.state.done, "frame"), wording.count(run.state.faces, "face"), _took(run)]
    badges = f":{colour}-badge[{icon} {words}]" + (f" :violet-badge[{wanting}]" if wanting else "")
    st.markdown(f"**{wording.plain(run.title)}** {badges}  \n{' · '.join(told)}")


def _took(run: Run) -> str:
    if not (run.state.started and run.state.ended):
        return "no time known"
    return wording.duration(
        (datetime.fromisoformat(run.state.ended) - datetime.fromisoformat(run.state.started)).total_seconds()
    )


def _cancel(run: Run) -> None:
    if st.button("Cancel", key=f"cancel-{run.id}", icon=":material/stop:", disabled=run.cancelling, width="stretch"):
        _act(cancel, run)


def _resume(run: Run) -> None:
    if run.resumable and st.button("Resume", key=f"resume-{run.id}", icon=":material/resume:", width="stretch"):
        _act(resume, run)


def _act(action: Callable[[Data, Person, Run], None], run: Run) -> None:
    try:
        action(session.data(), session.person(), runs.get(session.data(), run.id))
    except VeilError as error:
        st.error(str(error))
    else:
        st.rerun()


def _table(over: list[Run]) -> None:
    rows = [
        {
            "video": run.title,
            "state": run.status,
            "mode": run.request.detection.mode,
            "who": run.request.name,
            "when": wording.moment(run.request.at),
            "frames": run.state.done,
            "faces": run.state.faces,
            "open": link(Page.REVIEW, run.id),
        }
        for run in over
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={"open": st.column_config.LinkColumn("review", display_text="open")},
    )
