"""The parts of the Home page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from engine.access import Person, may
from engine.runs import Register
from workbench.auth import current_user
from workbench.components import run_list, sample_clip
from workbench.components.run_list import Listed
from workbench.core.links import Page
from workbench.core.page_table import way_to

_MINE = "Waiting for you"


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that belong together, and what stands there when there are none."""

    title: str
    otherwise: str = ""
    runs: list[Listed] = field(default_factory=list)


def show(register: Register) -> None:
    """What waits for who is at work, what runs, what was released; or what to do where there is nothing yet.

    Raises:
        AccessError: the policy cannot be read.
    """
    if register.runs or register.damaged:
        _overview(register)
    else:
        _beginning()


def _beginning() -> None:
    """What to do where there is nothing yet."""
    st.markdown("Nothing has been detected yet.")
    if not may(current_user.person(used=False), "detect"):
        st.caption("Somebody with the role operator starts the first run; it will be here as soon as they have.")
        return
    own, ours = st.columns(2, gap="medium")
    with own.container(border=True, height="stretch"):
        st.subheader("With a video of yours", anchor=False)
        st.markdown(
            "Choose it on Detect. Its faces are found in the background; then it waits here for its review and for "
            "its sign-off, which makes the final video."
        )
        way_to(Page.DETECT, "Choose a video on Detect", first=True)
    with ours.container(border=True, height="stretch"):
        st.subheader("With the sample clip", anchor=False)
        st.markdown(
            "A man talking in a car, four seconds long; it comes with Veil. Finding his face takes a quarter of a "
            "minute, on this machine."
        )
        sample_clip.offer()


def _overview(register: Register) -> None:
    """What waits, what runs, what was released."""
    person = current_user.person(used=False)
    groups = grouped(run_list.listed(register), person)
    for column, group in zip(st.columns(len(groups)), groups, strict=True):
        column.metric(group.title, len(group.runs), border=True)
    for group in groups:
        if group.runs or group.otherwise:
            st.header(group.title, anchor=False)
            if not group.runs:
                st.caption(group.otherwise)
            run_list.show(group.runs, group.title)
            if group.title == _MINE and not group.runs:
                _idle(person)
    run_list.damage(register.damaged)


def grouped(found: Iterable[Listed], person: Person) -> list[Group]:
    """The runs by what is to be done with them, each group newest first."""
    mine, active = Group(_MINE, "Nothing waits for you."), Group("Running", "Nothing runs or waits in the queue.")
    stuck, others, live = Group("Unfinished"), Group("Waiting for others"), Group("Masked live")
    released = Group("Released", "Nothing has been released yet.")
    for one in _without_superseded(found):
        if one.run.status in run_list.ACTIVE:
            group = active
        elif one.run.resumable:
            group = stuck
        elif one.released:
            group = released
        elif one.turn is None or one.turn.step is None:
            group = live
        else:
            group = mine if one.turn.of(person) else others
        group.runs.append(one)
    return [
        mine,
        active,
        *((stuck, others) if may(person, "detect") else (others, stuck)),
        released,
        *([live] if live.runs else []),
    ]


def _without_superseded(newest_first: Iterable[Listed]) -> Iterator[Listed]:
    """Without runs that came to no end and whose source was detected, or is to be, once more."""
    again: set[Path] = set()
    for one in newest_first:
        if not (one.run.resumable and one.run.source in again):
            yield one
        if not one.run.resumable:
            again.add(one.run.source)


def _idle(person: Person) -> None:
    """What somebody can do for whom nothing waits."""
    if may(person, "detect"):
        way_to(Page.DETECT, "Detect another video", first=True)
    elif may(person, "analyse") and not may(person, "look"):
        way_to(Page.ANALYSE, "Look at what was found in Analyse", first=True)
