"""The Home page: first steps, or the runs grouped by what has to be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import streamlit as st

from engine.access import Person, is_allowed
from engine.core.wording import format_count
from engine.runs import RunRegister
from workbench.auth import current_user
from workbench.components import run_list, sample_clip
from workbench.components.run_list import RunEntry
from workbench.core import session
from workbench.core.formatting import escape_markdown, format_age
from workbench.core.links import Page
from workbench.core.page_table import show_page_link

_WAITING_TITLE, _OTHERS_TITLE = "Your tasks", "Tasks of others"
_ARCHIVED_TITLE = "Archived"
_EVERYTHING = "Everything but the archive"
_ORDERS = ("Newest first", "Oldest first", "Name")


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs that are listed together, and the text that is shown if there are none."""

    title: str
    empty_text: str = ""
    entries: list[RunEntry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What the list shows.

    Attributes:
        words: text that name, folder, people or identifier of a run contain.
        group: the group to show; all but the archive if it is `_EVERYTHING`.
        order: one of `_ORDERS`.
    """

    words: str = ""
    group: str = _EVERYTHING
    order: str = _ORDERS[0]

    def select(self, entries: Iterable[RunEntry]) -> list[RunEntry]:
        """Return the entries that match the words, in order."""
        found = [entry for entry in entries if self.words.strip().lower() in entry.searchable]
        if self.order == "Name":
            return sorted(found, key=lambda entry: (entry.run.title.lower(), entry.run.id))
        return sorted(found, key=lambda entry: entry.run.request.at, reverse=self.order == _ORDERS[0])

    def shows(self, group: RunGroup) -> bool:
        """Return True if the group is shown."""
        return self.group == group.title or (self.group == _EVERYTHING and group.title != _ARCHIVED_TITLE)


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
    """Show the filter, the backlog and the groups."""
    person = current_user.require_person(keep_alive=False)
    entries = run_list.list_runs(register)
    groups = group_runs(entries, person)
    run_filter, bar = _show_filter(groups)
    groups, moved = keep_places(groups, session.RUN_PLACES.get())
    with bar:
        _show_update_button(moved)
    session.RUN_PLACES.set({entry.run.id: group.title for group in groups for entry in group.entries})
    for group in groups:
        selected = run_filter.select(group.entries)
        is_wanted = selected or (group.empty_text and not run_filter.words)
        if run_filter.shows(group) and is_wanted:
            st.header(f"{group.title} ({len(selected)})" if selected else group.title, anchor=False)
            if not selected:
                st.caption(group.empty_text)
            run_list.show_runs(selected, group.title, has_menu=True)
            if group.title == _WAITING_TITLE and not selected:
                _show_idle_links(person)
    if run_filter.words and not any(run_filter.select(group.entries) for group in groups):
        st.caption("No run matches the search.")
    _show_backlog(groups)
    run_list.show_damaged_runs(register.damaged)


def _show_filter(groups: Sequence[RunGroup]) -> tuple[RunFilter, st.delta_generator.DeltaGenerator]:
    """Show the search, filter and order of the list; return them, and the place for the update button."""
    search, choice, order, update = st.columns([4, 3, 2, 2], vertical_alignment="bottom")
    words = search.text_input("Search", placeholder="Video, folder or person", key="home-search")
    titles = [_EVERYTHING, *(group.title for group in groups if group.title != _ARCHIVED_TITLE), _ARCHIVED_TITLE]
    chosen = choice.selectbox("Show", titles, key="home-group")
    return RunFilter(words, chosen, order.selectbox("Order", _ORDERS, key="home-order")), update


def _show_update_button(moved: int) -> None:
    # The button is always there, so that nothing below it moves when the first run changes its group.
    label = f"Update ({moved} moved)" if moved else "Up to date"
    st.button(
        label, icon=":material/refresh:", disabled=not moved, key="home-update", width="stretch",
        on_click=session.RUN_PLACES.set, args=({},),
    )  # fmt: skip


def keep_places(groups: Sequence[RunGroup], places: dict[str, str]) -> tuple[list[RunGroup], int]:
    """Leave each run in the group in which this session saw it first, so that no card moves under the pointer.

    Args:
        groups: the groups as they are now.
        places: by run, the group in which it was shown.

    Returns:
        The groups as they are shown, and the number of runs that belong elsewhere by now.
    """
    kept = {group.title: replace(group, entries=[]) for group in groups}
    moved = 0
    for group in groups:
        for entry in group.entries:
            title = places.get(entry.run.id, group.title)
            moved += title != group.title
            kept[title if title in kept else group.title].entries.append(entry)
    return list(kept.values()), moved


def group_runs(entries: Iterable[RunEntry], person: Person) -> list[RunGroup]:
    """Group the runs by what has to be done with them, newest first in each group."""
    mine, active = (
        RunGroup(_WAITING_TITLE, "You have no tasks."),
        RunGroup("In progress", "No run is queued or running."),
    )
    stuck, others, live = RunGroup("Stopped or failed"), RunGroup(_OTHERS_TITLE), RunGroup("Live sessions")
    released, archived = RunGroup("Released", "Nothing has been released yet."), RunGroup(_ARCHIVED_TITLE)
    for entry in _drop_superseded(entries):
        if entry.run.status in run_list.ACTIVE_STATUSES:
            group = active
        elif entry.case.archived:
            group = archived
        elif entry.run.resumable:
            group = stuck
        elif entry.released:
            group = released
        elif entry.next_step is None or entry.next_step.step is None:
            group = live
        else:
            group = mine if entry.waits_for(person) else others
        group.entries.append(entry)
    return [
        mine,
        active,
        *((stuck, others) if is_allowed(person, "detect") else (others, stuck)),
        released,
        live,
        archived,
    ]


def _drop_superseded(newest_first: Iterable[RunEntry]) -> Iterator[RunEntry]:
    """Leave out unfinished runs whose source has a newer run."""
    detected_again: set[Path] = set()
    for entry in newest_first:
        if not (entry.run.resumable and entry.run.source in detected_again):
            yield entry
        if not entry.run.resumable:
            detected_again.add(entry.run.source)


def _show_backlog(groups: Sequence[RunGroup]) -> None:
    """Show how many runs wait for each person, and for how long."""
    waiting = [entry for group in groups if group.title in {_WAITING_TITLE, _OTHERS_TITLE} for entry in group.entries]
    if not waiting:
        return
    with st.expander(f"Backlog: {format_count(len(waiting), 'run')} waiting"):
        people = Counter(entry.case.name or "Not assigned" for entry in waiting)
        lines = []
        for name, number in people.most_common():
            oldest = min(entry.waiting_since for entry in waiting if (entry.case.name or "Not assigned") == name)
            steps = Counter(
                entry.next_step.step
                for entry in waiting
                if entry.next_step and (entry.case.name or "Not assigned") == name
            )
            parts = ", ".join(f"{count} to {_STEP_VERBS[step]}" for step, count in steps.items() if step)
            lines.append(
                f"- **{escape_markdown(name)}**: {format_count(number, 'run')} ({parts}), oldest {format_age(oldest)}"
            )
        st.markdown("\n".join(lines))


_STEP_VERBS = {"review": "review", "approval": "approve", "release": "release"}


def _show_idle_links(person: Person) -> None:
    """Show what a person without tasks can do."""
    if is_allowed(person, "detect"):
        show_page_link(Page.DETECT, "Detect another video", as_button=True)
    elif is_allowed(person, "analyse") and not is_allowed(person, "look"):
        show_page_link(Page.ANALYSE, "Explore the detections in Analyse", as_button=True)
