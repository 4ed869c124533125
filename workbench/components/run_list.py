"""Lists of runs: queued and running ones with their progress, then ended ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from engine import access, runs
from engine.access import Person, Persons
from engine.approval.next_step import NextStep, find_next_step
from engine.approval.notes import list_open_notes
from engine.approval.steps import StepName
from engine.core.wording import format_count
from engine.errors import VeilError
from engine.jobs.cases import Case, list_assignable_people, read_case
from engine.jobs.queue import cancel_run, resume_run, sort_queue
from engine.jobs.thumbnails import find_latest_thumbnail
from engine.runs import DamagedRun, Run, RunRegister
from workbench.auth import current_user
from workbench.components.run_menu import apply_action, show_menu
from workbench.core import formatting, session
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import can_use_page, show_page_link
from workbench.theme.css import AUTO_REFRESH_KEY, THUMBNAIL_KEY

_ACTIVITY_LABELS = {
    "probe": "reading the file",
    "detect": "detecting faces",
    "render": "rendering",
    "verify": "verifying",
}
_STATUS_BADGES = {
    "queued": ("queued", "gray", ":material/schedule:"),
    "running": ("running", "blue", ":material/progress_activity:"),
    "done": ("done", "green", ":material/check:"),
    "failed": ("failed", "red", ":material/error:"),
    "cancelled": ("cancelled", "gray", ":material/block:"),
    "interrupted": ("interrupted", "orange", ":material/power_off:"),
}
_LINKED_PAGES = (Page.REVIEW, Page.ANALYSE, Page.SIGN_OFF)
STEP_PAGES: dict[StepName, Page] = {"review": Page.REVIEW, "approval": Page.SIGN_OFF, "release": Page.SIGN_OFF}
"""The page on which each step of the sign-off is done."""
_RUNS_PER_PAGE = 8
"""Runs that a list shows at first, and that each press of its button adds."""
ACTIVE_STATUSES = frozenset({"running", "queued"})
_THUMBNAIL_SIZE_PX = (160, 120)
"""Greatest width and height of a thumbnail in pixels."""
_BUSY_INTERVAL_S, _IDLE_INTERVAL_S = 1.0, 5.0
"""Seconds between refreshes of a list, while a run is active and while none is."""


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run with its case and, if it is done, its next step.

    Attributes:
        run: the run.
        next_step: the step that comes next, None if the run is not done.
        case: to whom it is assigned, and whether it is archived.
        assignee: the person to whom it is assigned, None if the account cannot review or approve any more.
        open_notes: number of notes that are not done.
        runs_ahead: number of runs that come before this one, if it is queued.
    """

    run: Run
    next_step: NextStep | None
    case: Case = Case()
    assignee: Person | None = None
    open_notes: int = 0
    runs_ahead: int = 0

    @property
    def released(self) -> bool:
        """Return True if the final video was released and no step is left."""
        return (
            self.next_step is not None and self.next_step.step is None and self.next_step.newest_statement is not None
        )

    @property
    def waiting_since(self) -> str:
        """Return the ISO time since which the run waits for its next step."""
        newest = self.next_step.newest_statement if self.next_step else None
        return newest.at.isoformat() if newest else self.run.state.ended or self.run.request.at

    @property
    def searchable(self) -> str:
        """Return the text that a search looks through, in lower case."""
        request = self.run.request
        setup = formatting.describe_detection(request.detection)
        parts = (request.source, request.title or "", self.run.id, request.name, setup, self.case.name or "")
        return " ".join(parts).lower()

    def waits_for(self, person: Person) -> bool:
        """Return True if the next step is this person's: open to them, and assigned to nobody else who may take it.

        A run that is assigned to its reviewer waits for every approver once it is reviewed.
        """
        if self.next_step is None or not self.next_step.is_open_to(person):
            return False
        others = self.assignee is not None and self.assignee.account != person.account
        return not (others and self.assignee and self.next_step.is_open_to(self.assignee))


def show_refreshing(show: Callable[[RunRegister], None]) -> None:
    """Show the runs and refresh them at an interval.

    Args:
        show: shows the runs of a register; a VeilError that it raises is shown as an error.
    """
    interval_s = session.RUN_LIST_INTERVAL_S.get()

    @st.fragment(run_every=interval_s)
    def refresh() -> None:
        # A list that refreshes itself must end with the session, and must not keep the session alive.
        current_user.rerun_if_signed_out()
        try:
            register = runs.read_register(session.get_data())
            with st.container(key=AUTO_REFRESH_KEY):
                if session.LIST_ERROR.get():
                    st.error(formatting.escape_markdown(session.LIST_ERROR.get()))
                show(register)
        except VeilError as error:
            st.error(formatting.escape_markdown(str(error)))
            return
        wanted_s = _BUSY_INTERVAL_S if any(run.status in ACTIVE_STATUSES for run in register.runs) else _IDLE_INTERVAL_S
        # A fragment keeps the interval with which it was defined; only a rerun of the page changes it.
        if wanted_s != interval_s:
            session.RUN_LIST_INTERVAL_S.set(wanted_s)
            st.rerun()

    refresh()


def list_runs(register: RunRegister) -> list[RunEntry]:
    """List every run, newest first, with its next step.

    Raises:
        AccessError: the policy cannot be read.
    """
    data = session.get_data()
    persons = access.read_policy(data).persons
    people = {person.account: person for person in list_assignable_people(data)}
    ahead = _count_runs_ahead(register)
    return [_build_entry(run, persons, people, ahead.get(run.id, 0)) for run in register.runs]


def _build_entry(run: Run, persons: Persons, people: Mapping[str, Person], runs_ahead: int) -> RunEntry:
    case = read_case(run)
    next_step = find_next_step(run, persons) if run.status == "done" else None
    return RunEntry(run, next_step, case, people.get(case.account or ""), _count_open_notes(run), runs_ahead)


def _count_runs_ahead(register: RunRegister) -> dict[str, int]:
    """Count what is detected before each queued run, also what a list leaves out. A live session takes no turn."""
    at_work = sum(run.status == "running" and run.state.activity != "live" for run in register.runs)
    queue = sort_queue([run for run in register.runs if run.status == "queued"])
    return {run.id: at_work + place for place, run in enumerate(queue)}


def _count_open_notes(run: Run) -> int:
    try:
        return len(list_open_notes(run))
    except VeilError:
        # Review says what is wrong with the notes; a list of runs only counts them.
        return 0


def show_runs(entries: Sequence[RunEntry], list_name: str = "runs", *, has_menu: bool = False) -> None:
    """Show runs as cards in the order given, which does not change when a run ends: no card moves under the pointer.

    Args:
        entries: the runs.
        list_name: name of the list, unique on its page.
        has_menu: whether each ended run has a menu to assign, archive or remove it.
    """
    person = current_user.require_person(keep_alive=False)
    shown_count = session.SHOWN_RUNS.get().get(list_name, _RUNS_PER_PAGE)
    for entry in entries[:shown_count]:
        if entry.run.status in ACTIVE_STATUSES:
            _show_active_run(entry.run, entry.runs_ahead, person)
        else:
            _show_ended_run(entry, person, has_menu=has_menu)
    left = max(0, len(entries) - shown_count)
    if left:
        label = f"Show {min(left, _RUNS_PER_PAGE)} more of {len(entries)}"
        count = shown_count + _RUNS_PER_PAGE
        st.button(label, key=f"more-{list_name}", width="stretch", on_click=_set_shown_count, args=(list_name, count))


def _set_shown_count(list_name: str, count: int) -> None:
    session.SHOWN_RUNS.set({**session.SHOWN_RUNS.get(), list_name: count})


def show_damaged_runs(damaged: tuple[DamagedRun, ...]) -> None:
    """Show a warning for each run folder that cannot be read."""
    for damaged_run in damaged:
        st.warning(formatting.escape_markdown(damaged_run.message), icon=":material/folder_off:")


def _show_active_run(run: Run, runs_ahead: int, person: Person) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        with st.container(width=_THUMBNAIL_SIZE_PX[0], key=f"{THUMBNAIL_KEY}-{run.id}"):
            _show_thumbnail(run, person)
        with st.container():
            _show_heading(run)
            _show_progress(run, runs_ahead)
        if run.state.activity == "live":
            if can_use_page(Page.LIVE, person):
                show_page_link(Page.LIVE)
        elif access.is_allowed(person, "detect"):
            _show_cancel_button(run)


def _show_progress(run: Run, runs_ahead: int) -> None:
    state = run.state
    if run.status == "queued":
        st.caption(f"Queued ({runs_ahead} ahead)" if runs_ahead else "Starting soon")
        return
    if state.activity == "live":
        st.caption(f"Live session: {format_count(state.done, 'frame')} shown so far")
        return
    share = min(1.0, state.done / state.total) if state.total else 0.0
    st.progress(share, text=_describe_progress(run))
    if state.sentence:
        st.caption(formatting.escape_markdown(state.sentence))


def _describe_progress(run: Run) -> str:
    """Describe the progress: frames, speed and remaining time."""
    state = run.state
    if run.cancelling:
        return "Stopping..."
    if state.activity is None:
        return "Starting..."
    words = _ACTIVITY_LABELS.get(state.activity, state.activity).capitalize()
    if state.activity != "detect" or not state.total:
        return words
    parts = [f"{words}: {state.done:,} of {format_count(state.total, 'frame')}"]
    if state.rate:
        parts += [
            f"{state.rate:.1f} frames/s",
            f"{formatting.format_duration((state.total - state.done) / state.rate)} left",
        ]
    return " · ".join([*parts, f"{format_count(state.faces, 'detection')} so far"])


def _show_thumbnail(run: Run, person: Person) -> None:
    # The picture is masked, but a face that was missed shows in it.
    if not access.is_allowed(person, "look"):
        st.caption("Your role shows no pictures")
        return
    path = find_latest_thumbnail(run.folder)
    if path is None:
        st.caption("No picture yet" if run.state.activity != "live" else "See the Live page")
        return
    width, height = _THUMBNAIL_SIZE_PX
    if run.state.display is not None:
        width = min(width, height * run.state.display.width // run.state.display.height)
    st.image(path.read_bytes(), width=max(1, width), alt=f"Masked frame of {run.title}")


def _show_ended_run(entry: RunEntry, person: Person, *, has_menu: bool) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        if find_latest_thumbnail(entry.run.folder) is not None:
            with st.container(width=_THUMBNAIL_SIZE_PX[0], key=f"{THUMBNAIL_KEY}-{entry.run.id}"):
                _show_thumbnail(entry.run, person)
        with st.container(gap="xxsmall"):
            _show_heading(entry.run, entry.next_step)
            _show_case(entry)
            if description := _describe_ended_run(entry, person):
                st.caption(formatting.escape_markdown(description))
            for statement in entry.next_step.exceptions if entry.next_step else ():
                text = f"{statement.name} signed below the policy: {'; '.join(statement.below_policy)}."
                st.markdown(
                    f":orange-badge[:material/policy: below policy] "
                    f"{formatting.escape_markdown(f'{text} Reason: {statement.reason}')}"
                )
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            _show_links(entry, person)
            if has_menu:
                show_menu(entry.run, entry.case, person)


def _show_case(entry: RunEntry) -> None:
    """Show for how long a run waits, and for whom."""
    if entry.next_step is None or entry.next_step.step is None:
        return
    whom = f", assigned to {formatting.escape_markdown(entry.case.name)}" if entry.case.name else ""
    notes = f", {format_count(entry.open_notes, 'open note')}" if entry.open_notes else ""
    st.caption(f"Waiting for {formatting.format_age(entry.waiting_since)}{whom}{notes}")


def _describe_ended_run(entry: RunEntry, person: Person) -> str | None:
    """Return what a person has to know about an ended run besides its status."""
    run = entry.run
    if run.resumable and not run.source.exists():
        if not access.is_allowed(person, "detect"):
            return f"{run.source} is missing. Ask an operator to put it back and resume the run."
        return f"{run.source} is missing. Put it back under this name and resume the run, or detect another video."
    if run.status == "interrupted":
        return "The worker process ended early. The frames it finished are kept; resume the run to continue."
    if entry.next_step is None:
        return run.state.sentence
    if entry.next_step.why or entry.next_step.newest_statement is None:
        return entry.next_step.why
    last = entry.next_step.newest_statement
    return f"{last.meaning.capitalize()} by {last.name}, {formatting.format_time(last.at.isoformat())}"


def _show_links(entry: RunEntry, person: Person) -> None:
    run = entry.run
    if run.resumable and access.is_allowed(person, "detect"):
        _show_resume_button(run)
    if run.status != "done":
        return
    next_page = (
        STEP_PAGES[entry.next_step.step]
        if entry.next_step and entry.next_step.step and entry.next_step.is_open_to(person)
        else None
    )
    for page in _LINKED_PAGES if run.source.is_absolute() else (Page.ANALYSE,):
        if can_use_page(page, person):
            show_page_link(page, location=PageLocation(run.id), as_button=page is next_page)


def _show_heading(run: Run, next_step: NextStep | None = None) -> None:
    words, colour, icon = _STATUS_BADGES[run.status]
    parts = [
        formatting.escape_markdown(formatting.describe_detection(run.request.detection)),
        f"started by {formatting.escape_markdown(run.request.name)}",
        formatting.format_time(run.request.at),
    ]
    if run.status == "done":
        parts.append(format_count(run.state.done, "frame"))
        # A live run reports no detections while it runs: its count stays 0 although its record has faces.
        if run.state.activity != "live":
            parts.append(format_count(run.state.faces, "detection"))
        parts.append(_format_run_time(run))
    elif run.resumable and run.state.total:
        parts.append(f"{run.state.done:,} of {format_count(run.state.total, 'frame')}")
    step = f" :violet-badge[next: {next_step.step}]" if next_step and next_step.step else ""
    if RunEntry(run, next_step).released:
        words, colour, icon = "released", "green", ":material/verified:"
    state = f":{colour}-badge[{icon} {words}]"
    folder = _describe_folder(run)
    st.markdown(f"**{formatting.escape_markdown(run.title)}** {state}{step}  \n{folder}{' · '.join(parts)}")


def _describe_folder(run: Run) -> str:
    """Return the folder of the library that a video is in, so that videos of the same name can be told apart."""
    library = session.get_data().library
    if not run.source.is_relative_to(library) or run.source.parent == library:
        return ""
    return f"in {formatting.escape_markdown(str(run.source.parent.relative_to(library)))} · "


def _format_run_time(run: Run) -> str:
    if not (run.state.started and run.state.ended):
        return "duration unknown"
    began, ended = map(datetime.fromisoformat, (run.state.started, run.state.ended))
    return f"took {formatting.format_duration((ended - began).total_seconds())}"


def _show_cancel_button(run: Run) -> None:
    st.button(
        "Cancel", key=f"cancel-{run.id}", icon=":material/stop:", disabled=run.cancelling, on_click=apply_action,
        args=(cancel_run, run),
    )  # fmt: skip


def _show_resume_button(run: Run) -> None:
    st.button("Resume", key=f"resume-{run.id}", icon=":material/resume:", on_click=apply_action, args=(resume_run, run))
