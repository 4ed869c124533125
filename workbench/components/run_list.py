"""Lists of runs: those that wait or run, with their progress, and those that are over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import streamlit as st

from engine import access, runs
from engine.access import Person
from engine.approval.next_step import Step, Turn, turn
from engine.errors import VeilError
from engine.jobs.queue import cancel, resume, start_worker
from engine.jobs.thumbnails import latest
from engine.runs import DamagedRun, Register, Run
from engine.storage.files import Data
from workbench.auth import current_user
from workbench.core import formatting, session
from workbench.core.links import Page, Place
from workbench.core.page_table import open_to, way_to
from workbench.theme.css import WATCHED

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
PAGES: dict[Step, Page] = {"review": Page.REVIEW, "approval": Page.SIGN_OFF, "release": Page.SIGN_OFF}
"""Where a run is taken a step further."""
_RECENT = 8
ACTIVE = frozenset({"running", "queued"})
_PICTURE = (160, 120)
"""Width and height of the picture of a run in pixels, at most."""
_BUSY, _IDLE = 1.0, 5.0
"""Seconds after which a list that is watched is looked up again, while something goes on and while nothing does."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A run and, where it is done, whose turn it is."""

    run: Run
    turn: Turn | None

    @property
    def released(self) -> bool:
        """Whether nothing has to be done with it any more, as its final video was released."""
        return self.turn is not None and self.turn.step is None and self.turn.last is not None


def watch(show: Callable[[Register], None]) -> None:
    """Show the runs, and again and again as they then are.

    Args:
        show: shows them; what it raises is said in a sentence.
    """
    pace = session.PACE.get()

    @st.fragment(run_every=pace)
    def look() -> None:
        current_user.still_there()
        try:
            register = _looked_up()
            with st.container(key=WATCHED):
                show(register)
        except VeilError as error:
            st.error(formatting.plain(str(error)))
            return
        wanted = _BUSY if any(run.status in ACTIVE for run in register.runs) else _IDLE
        if wanted != pace:
            session.PACE.set(wanted)
            st.rerun()

    look()


def _looked_up() -> Register:
    """The runs as they stand; where some wait and nobody works on them, somebody starts to."""
    register = runs.register(session.data())
    if any(run.status == "queued" for run in register.runs) and all(run.status != "running" for run in register.runs):
        start_worker(session.data())
    return register


def listed(register: Register) -> list[Listed]:
    """Every run, newest first, with whose turn it is.

    Raises:
        AccessError: the policy cannot be read.
    """
    persons = access.read_policy(session.data()).persons
    return [Listed(run, turn(run, persons) if run.status == "done" else None) for run in register.runs]


def show(runs: Sequence[Listed], name: str = "runs") -> None:
    """Runs, those that go on first; those that were over long ago in a table, from which one is chosen.

    Args:
        runs: newest first.
        name: of the list, on its page.
    """
    person = current_user.person(used=False)
    active = [one.run for one in runs if one.run.status in ACTIVE]
    over = [one for one in runs if one.run not in active]
    for before, run in enumerate(sorted(active, key=lambda run: (run.status != "running", run.request.at))):
        _progress(run, before, person)
    for one in over[:_RECENT]:
        _ended(one, person)
    if over[_RECENT:]:
        with st.expander(formatting.count(len(over) - _RECENT, "older run")):
            _older(over[_RECENT:], name, person)


def damage(damaged: tuple[DamagedRun, ...]) -> None:
    """Folders among the runs that cannot be read."""
    for one in damaged:
        st.warning(formatting.plain(one.sentence), icon=":material/folder_off:")


def _progress(run: Run, before: int, person: Person) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        with st.container(width=_PICTURE[0]):
            _thumbnail(run)
        with st.container():
            _heading(run)
            _bar(run, before)
        if run.state.activity == "live":
            if open_to(Page.LIVE, person):
                way_to(Page.LIVE)
        elif access.may(person, "detect"):
            _cancel(run)


def _bar(run: Run, before: int) -> None:
    state = run.state
    if run.status == "queued":
        st.caption(f"Waits for {formatting.count(before, 'run')} before it." if before else "Begins in a moment.")
        return
    if state.activity == "live":
        st.caption(f"Masked live: {formatting.count(state.done, 'frame')} shown so far.")
        return
    share = min(1.0, state.done / state.total) if state.total else 0.0
    st.progress(share, text=_pace(run))
    if state.sentence:
        st.caption(formatting.plain(state.sentence))


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
    told = [f"{words}: {state.done:,} of {formatting.count(state.total, 'frame')}"]
    if state.rate:
        told += [f"{state.rate:.1f} frames/s", f"{formatting.duration((state.total - state.done) / state.rate)} left"]
    return " · ".join([*told, f"{formatting.count(state.faces, 'face')} so far"])


def _thumbnail(run: Run) -> None:
    path = latest(run.folder)
    if path is None:
        st.caption("No picture yet" if run.state.activity != "live" else "Shown on Live")
        return
    width, height = _PICTURE
    if run.state.display is not None:
        width = min(width, height * run.state.display.width // run.state.display.height)
    st.image(path.read_bytes(), width=max(1, width), alt=f"A masked frame of {run.title}")


def _ended(one: Listed, person: Person) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        with st.container(gap="xxsmall"):
            _heading(one.run, one.turn)
            if said := _said(one, person):
                st.caption(formatting.plain(said))
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            _ways_on(one, person)


def _said(one: Listed, person: Person) -> str | None:
    """What else a person should know of a run that is over."""
    run = one.run
    if run.resumable and not run.source.exists():
        if not access.may(person, "detect"):
            return f"{run.source} is not there; somebody with the role operator can put it back and resume the run."
        return f"{run.source} is not there. Put it back under that name and resume the run, or detect another video."
    if run.status == "interrupted":
        return "The process that worked on it has ended; what it had finished is kept."
    if one.turn is None:
        return run.state.sentence
    if one.turn.why or one.turn.last is None:
        return one.turn.why
    last = one.turn.last
    return f"{last.meaning.capitalize()} by {last.name}, {formatting.moment(last.at.isoformat())}"


def _ways_on(one: Listed, person: Person) -> None:
    run = one.run
    if run.resumable and access.may(person, "detect"):
        _resume(run)
    if run.status != "done":
        return
    next_page = PAGES[one.turn.step] if one.turn and one.turn.step and one.turn.of(person) else None
    for page in _WAYS if run.source.is_absolute() else (Page.ANALYSE,):
        if open_to(page, person):
            way_to(page, place=Place(run.id), first=page is next_page)


def _heading(run: Run, whose: Turn | None = None) -> None:
    words, colour, icon = _STATES[run.status]
    told = [run.request.detection.mode, f"by {formatting.plain(run.request.name)}", formatting.moment(run.request.at)]
    if run.status == "done":
        told += [
            formatting.count(run.state.done, "frame"),
            f"{formatting.count(run.state.faces, 'face')} seen",
            _took(run),
        ]
    elif run.resumable and run.state.total:
        told.append(f"{run.state.done:,} of {formatting.count(run.state.total, 'frame')}")
    step = f" :violet-badge[waits for {whose.step}]" if whose and whose.step else ""
    if Listed(run, whose).released:
        words, colour, icon = "released", "green", ":material/verified:"
    state = f":{colour}-badge[{icon} {words}]"
    st.markdown(f"**{formatting.plain(run.title)}** {state}{step}  \n{' · '.join(told)}")


def _took(run: Run) -> str:
    if not (run.state.started and run.state.ended):
        return "no time known"
    began, ended = map(datetime.fromisoformat, (run.state.started, run.state.ended))
    return f"took {formatting.duration((ended - began).total_seconds())}"


def _cancel(run: Run) -> None:
    if st.button("Cancel", key=f"cancel-{run.id}", icon=":material/stop:", disabled=run.cancelling):
        _act(cancel, run)


def _resume(run: Run) -> None:
    if st.button("Resume", key=f"resume-{run.id}", icon=":material/resume:"):
        _act(resume, run)


def _act(action: Callable[[Data, Person, Run], None], run: Run) -> None:
    try:
        action(session.data(), current_user.person(), runs.get(session.data(), run.id))
    except VeilError as error:
        st.error(str(error))
    else:
        st.rerun()


def _older(over: list[Listed], name: str, person: Person) -> None:
    """A table that can be sorted and searched; the run that is chosen in it is shown with its ways on."""
    rows = [
        {
            "video": one.run.title,
            "state": "released" if one.released else one.run.status,
            "waits for": (one.turn and one.turn.step) or "",
            "mode": one.run.request.detection.mode,
            "who": one.run.request.name,
            "when": formatting.moment(one.run.request.at),
            "frames": one.run.state.done,
            "faces": one.run.state.faces,
        }
        for one in over
    ]
    st.caption("Choose a row to open its run.")
    chosen = st.dataframe(
        pd.DataFrame(rows), hide_index=True, key=f"older-{name}", on_select="rerun", selection_mode="single-row"
    )
    for row in chosen["selection"]["rows"]:
        if row < len(over):
            _ended(over[row], person)
