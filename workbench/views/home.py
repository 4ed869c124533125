"""The parts of the Home page."""

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

_WAITING_TITLE = "Waiting for you"


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs that belong together, and what stands there when there are none."""

    title: str
    empty_text: str = ""
    entries: list[RunEntry] = field(default_factory=list)


def show(register: RunRegister) -> None:
    """What waits for who is at work, what runs, what was released; or what to do where there is nothing yet.

    Raises:
        AccessError: the policy cannot be read.
    """
    if register.runs or register.damaged:
        _show_overview(register)
    else:
        _show_first_steps()


def _show_first_steps() -> None:
    """What to do where there is nothing yet."""
    st.markdown("Nothing has been detected yet.")
    if not is_allowed(current_user.require_person(keep_alive=False), "detect"):
        st.caption("Somebody with the role operator starts the first run; it will be here as soon as they have.")
        return
    own, ours = st.columns(2, gap="medium")
    with own.container(border=True, height="stretch"):
        st.subheader("With a video of yours", anchor=False)
        st.markdown(
            "Choose it on Detect. Its faces are found in the background; then it waits here for its review and for "
            "its sign-off, which makes the final video."
        )
        show_page_link(Page.DETECT, "Choose a video on Detect", as_button=True)
    with ours.container(border=True, height="stretch"):
        st.subheader("With the sample clip", anchor=False)
        st.markdown(
            "A man talking in a car, four seconds long; it comes with Veil. Finding his face takes a quarter of a "
            "minute, on this machine."
        )
        sample_clip.show_sample_button()


def _show_overview(register: RunRegister) -> None:
    """What waits, what runs, what was released."""
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
    """The runs by what is to be done with them, each group newest first."""
    mine, active = (
        RunGroup(_WAITING_TITLE, "Nothing waits for you."),
        RunGroup("Running", "Nothing runs or waits in the queue."),
    )
    stuck, others, live = RunGroup("Unfinished"), RunGroup("Waiting for others"), RunGroup("Masked live")
    released = RunGroup("Released", "Nothing has been released yet.")
    for one in _drop_superseded(entries):
        if one.run.status in run_list.ACTIVE_STATUSES:
            group = active
        elif one.run.resumable:
            group = stuck
        elif one.released:
            group = released
        elif one.next_step is None or one.next_step.step is None:
            group = live
        else:
            group = mine if one.next_step.is_open_to(person) else others
        group.entries.append(one)
    return [
        mine,
        active,
        *((stuck, others) if is_allowed(person, "detect") else (others, stuck)),
        released,
        *([live] if live.entries else []),
    ]


def _drop_superseded(newest_first: Iterable[RunEntry]) -> Iterator[RunEntry]:
    """Without runs that came to no end and whose source was detected, or is to be, once more."""
    again: set[Path] = set()
    for one in newest_first:
        if not (one.run.resumable and one.run.source in again):
            yield one
        if not one.run.resumable:
            again.add(one.run.source)


def _show_idle_links(person: Person) -> None:
    """What somebody can do for whom nothing waits."""
    if is_allowed(person, "detect"):
        show_page_link(Page.DETECT, "Detect another video", as_button=True)
    elif is_allowed(person, "analyse") and not is_allowed(person, "look"):
        show_page_link(Page.ANALYSE, "Look at what was found in Analyse", as_button=True)
