"""The Home page: first steps, or the runs grouped by what has to be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from engine.access import Person, is_allowed
from engine.runs import RunRegister
from workbench.auth import current_user
from workbench.components import run_list, sample_clip
from workbench.components.run_list import RunEntry
from workbench.core.links import Page
from workbench.core.page_table import show_page_link

_WAITING_TITLE = "Your tasks"


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs that are listed together, and the text that is shown if there are none."""

    title: str
    empty_text: str = ""
    entries: list[RunEntry] = field(default_factory=list)


def show(register: RunRegister) -> None:
    """Show the tasks of this person and all other runs, or the first steps if there is no run.

    Raises:
        AccessError: the policy cannot be read.
    """
    if register.runs or register.damaged:
        _show_overview(register)
    else:
        _show_first_steps()


def _show_first_steps() -> None:
    """Show how to start a first run."""
    st.markdown("There are no runs yet.")
    if not is_allowed(current_user.require_person(keep_alive=False), "detect"):
        st.caption("Only operators can start a run. It will appear here.")
        return
    own, ours = st.columns(2, gap="medium")
    with own.container(border=True, height="stretch"):
        st.subheader("Use your own video", anchor=False)
        st.markdown(
            "Choose a video on Detect. Veil detects its faces in the background. Then review the result here, sign it "
            "off, and release the masked video."
        )
        show_page_link(Page.DETECT, "Choose a video", as_button=True)
    with ours.container(border=True, height="stretch"):
        st.subheader("Try the sample clip", anchor=False)
        st.markdown(
            "A man talking in a car, four seconds long. It comes with Veil. Making the clip and detecting his face "
            "takes about a minute."
        )
        sample_clip.show_sample_button()


def _show_overview(register: RunRegister) -> None:
    """Show the number of runs in each group, then the groups."""
    person = current_user.require_person(keep_alive=False)
    groups = group_runs(run_list.list_runs(register), person)
    for column, group in zip(st.columns(len(groups)), groups, strict=True):
        column.metric(group.title, len(group.entries), border=True)
    for group in groups:
        if group.entries or group.empty_text:
            st.header(group.title, anchor=False)
            if not group.entries:
                st.caption(group.empty_text)
            run_list.show_runs(group.entries, group.title)
            if group.title == _WAITING_TITLE and not group.entries:
                _show_idle_links(person)
    run_list.show_damaged_runs(register.damaged)


def group_runs(entries: Iterable[RunEntry], person: Person) -> list[RunGroup]:
    """Group the runs by what has to be done with them, newest first in each group."""
    mine, active = (
        RunGroup(_WAITING_TITLE, "You have no tasks."),
        RunGroup("In progress", "No run is queued or running."),
    )
    stuck, others, live = RunGroup("Stopped or failed"), RunGroup("Tasks of others"), RunGroup("Live sessions")
    released = RunGroup("Released", "Nothing has been released yet.")
    for entry in _drop_superseded(entries):
        if entry.run.status in run_list.ACTIVE_STATUSES:
            group = active
        elif entry.run.resumable:
            group = stuck
        elif entry.released:
            group = released
        elif entry.next_step is None or entry.next_step.step is None:
            group = live
        else:
            group = mine if entry.next_step.is_open_to(person) else others
        group.entries.append(entry)
    return [
        mine,
        active,
        *((stuck, others) if is_allowed(person, "detect") else (others, stuck)),
        released,
        *([live] if live.entries else []),
    ]


def _drop_superseded(newest_first: Iterable[RunEntry]) -> Iterator[RunEntry]:
    """Leave out unfinished runs whose source has a newer run."""
    detected_again: set[Path] = set()
    for entry in newest_first:
        if not (entry.run.resumable and entry.run.source in detected_again):
            yield entry
        if not entry.run.resumable:
            detected_again.add(entry.run.source)


def _show_idle_links(person: Person) -> None:
    """Show what a person without tasks can do."""
    if is_allowed(person, "detect"):
        show_page_link(Page.DETECT, "Detect another video", as_button=True)
    elif is_allowed(person, "analyse") and not is_allowed(person, "look"):
        show_page_link(Page.ANALYSE, "Explore the detections in Analyse", as_button=True)
