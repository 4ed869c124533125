"""Summaries of the runs that were started together: how many are done, what failed, what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from engine import access
from engine.access.run_context import RunContext
from engine.core.wording import format_count
from engine.errors import VeilError
from engine.jobs.queue import cancel_run
from engine.runs import Run, RunRegister, RunStatus
from workbench.auth import current_user
from workbench.components.run_list import ACTIVE_STATUSES
from workbench.core import formatting, session

_MAX_GROUPS = 3
"""Most groups that are shown: those that are not finished, and else the newest one."""
_MAX_NAMED = 8
"""Most runs that a summary names one by one."""
_STATUS_ORDER: tuple[RunStatus, ...] = ("done", "running", "queued", "interrupted", "cancelled", "failed")


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs that were started together, oldest first."""

    name: str
    runs: tuple[Run, ...]

    @property
    def active(self) -> list[Run]:
        """The runs that wait or are worked on."""
        return [run for run in self.runs if run.status in ACTIVE_STATUSES]

    def describe(self) -> str:
        """Describe how many runs there are in each status."""
        counts = Counter(run.status for run in self.runs)
        return ", ".join(f"{counts[status]:,} {status}" for status in _STATUS_ORDER if counts[status])


def find_groups(runs: Iterable[Run]) -> list[RunGroup]:
    """Find the groups of at least two runs, newest first."""
    by_name: dict[str, list[Run]] = {}
    for run in runs:
        if run.request.group is not None:
            by_name.setdefault(run.request.group, []).append(run)
    return [RunGroup(name, tuple(sorted(found, key=_get_time))) for name, found in by_name.items() if len(found) > 1]


def show_groups(register: RunRegister) -> None:
    """Show a summary of the newest groups: all that are not finished, and the last one that is."""
    groups = find_groups(register.runs)
    shown = [group for group in groups if group.active] or groups[:1]
    for group in shown[:_MAX_GROUPS]:
        _show_group(group)


def _show_group(group: RunGroup) -> None:
    first = group.runs[0].request
    done = sum(run.status not in ACTIVE_STATUSES for run in group.runs)
    with st.container(border=True, gap="xsmall"):
        who = formatting.escape_markdown(first.name)
        st.markdown(
            f"**{format_count(len(group.runs), 'run')} started together**  \n{who} · {formatting.format_time(first.at)}"
        )
        st.progress(done / len(group.runs), text=f"{done:,} of {len(group.runs):,} ended: {group.describe()}")
        _name_unsuccessful([run for run in group.runs if run.status in {"failed", "interrupted"}])
        person = current_user.require_person(keep_alive=False)
        if group.active and access.is_allowed(person, "detect"):
            label = f"Cancel {format_count(len(group.active), 'run')}"
            key = f"cancel-group-{group.name}"
            st.button(label, icon=":material/block:", key=key, on_click=_cancel, args=(group.active,))


def _name_unsuccessful(unsuccessful: Sequence[Run]) -> None:
    lines = [
        f"- {formatting.escape_markdown(f'{run.title}: {run.state.sentence or run.status}')}"
        for run in unsuccessful[:_MAX_NAMED]
    ]
    if len(unsuccessful) > _MAX_NAMED:
        lines.append(f"- {len(unsuccessful) - _MAX_NAMED:,} more")
    if lines:
        st.markdown("\n".join(lines))


def _cancel(active: Iterable[Run]) -> None:
    error_text = ""
    try:
        data, person = session.get_data(), current_user.require_person()
        for run in active:
            current = RunContext.open(data, run.id, person)
            # Some may have ended since the list was drawn.
            if current.run.status in ACTIVE_STATUSES:
                cancel_run(current)
    except VeilError as error:
        error_text = str(error)
    session.LIST_ERROR.set(error_text)


def _get_time(run: Run) -> str:
    return run.request.at
