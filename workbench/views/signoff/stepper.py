"""The stepper of the Sign off page: its steps, where each stands, and the bar that leads from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import streamlit as st

from engine import release, runs
from engine.core.wording import format_count
from engine.errors import VeilError
from engine.masking.presets import find_preset
from engine.runs import Run
from workbench.auth import current_user
from workbench.components import run_list
from workbench.core import session, style_names
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import show_page_link
from workbench.theme.css import STEPPER_KEY
from workbench.views.signoff import summary

Step = Literal["check", "look", "style", "sign", "release"]

_LABELS: Mapping[Step, str] = MappingProxyType({
    "check": "1. Summary",
    "look": "2. Draft",
    "style": "3. Style and audio",
    "sign": "4. Sign",
    "release": "5. Release",
})  # fmt: skip
STEPS: tuple[Step, ...] = tuple(_LABELS)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands, for the captions of the steps.

    Attributes:
        snapshot: the run as the page shows it.
        open_items: number of items to check that are still open.
        drafts: number of drafts.
        drafting: whether a draft is being rendered.
        findings: number of findings of the leak check that block the release.
        busy: whether a release is running.
    """

    snapshot: release.SignOffSnapshot
    open_items: int
    drafts: int
    drafting: bool
    findings: int
    busy: bool


def show_stepper(run: Run, standing: Standing) -> Step:
    """Show the steps and return the one that is open: at first, the one at which something has to be done."""
    key = f"{STEPPER_KEY}-{run.id}"
    if key not in st.session_state or session.IS_JUST_APPROVED.get():
        st.session_state[key] = _choose_first_step(standing)
        session.IS_JUST_APPROVED.set(False)
    captions = _describe_steps(standing)
    chosen: Step = st.radio(
        "Step", STEPS, format_func=_LABELS.__getitem__, captions=[captions[step] for step in STEPS], key=key,
        horizontal=True, label_visibility="collapsed", width="stretch",
    )  # fmt: skip
    return chosen


def show_bar(run: Run, step: Step, standing: Standing) -> None:
    """Show the way to the steps before and after at the bottom of the window, where it stays in sight."""
    place = STEPS.index(step)
    # A sign-off that waits for someone else, or is complete, leads to the next case instead of nowhere.
    next_case = None if standing.busy else _find_next_case(run, standing)
    alignment: Literal["distribute", "right"] = "distribute" if place or next_case else "right"
    with st.bottom, st.container(horizontal=True, vertical_alignment="center", horizontal_alignment=alignment):
        if place:
            st.button(
                "Back", icon=":material/arrow_back:", key="step-back", on_click=_go_to, args=(run, STEPS[place - 1])
            )
        if next_case is not None:
            other, page = next_case
            show_page_link(page, f"Next case: {other.title}", PageLocation(other.id), as_button=True)
        if place < len(STEPS) - 1:
            st.button(
                f"Continue: {_LABELS[STEPS[place + 1]][3:]}", type="secondary" if step == "sign" else "primary",
                key="step-on", on_click=_go_to, args=(run, STEPS[place + 1]),
            )  # fmt: skip


def _go_to(run: Run, step: Step) -> None:
    st.session_state[f"{STEPPER_KEY}-{run.id}"] = step


def _choose_first_step(standing: Standing) -> Step:
    is_released = standing.snapshot.sign_off.next_step is None
    is_last = standing.busy or standing.findings or standing.snapshot.sign_off.next_step == "release" or is_released
    return "release" if is_last else "check"


def _describe_steps(standing: Standing) -> dict[Step, str]:
    sign_off, terms = standing.snapshot.sign_off, standing.snapshot.terms
    style = style_names.STYLE_NAMES[find_preset(terms.style) or style_names.OWN_STYLE]
    return {
        "check": f"{format_count(standing.open_items, 'item')} open" if standing.open_items else "Everything checked",
        "look": _describe_drafts(standing),
        "style": f"{style}{', audio changed' if terms.audio else ''}",
        "sign": summary.describe_signatures(sign_off),
        "release": _describe_release(standing),
    }


def _describe_drafts(standing: Standing) -> str:
    if standing.drafting:
        return "Rendering..."
    return format_count(standing.drafts, "draft") if standing.drafts else "No draft yet"


def _describe_release(standing: Standing) -> str:
    if standing.busy:
        return "Releasing..."
    if standing.findings:
        return f"{format_count(standing.findings, 'finding')} to judge"
    return "Released" if standing.snapshot.sign_off.next_step is None else "Not yet"


def _find_next_case(run: Run, standing: Standing) -> tuple[Run, Page] | None:
    """Find the oldest other run that waits for this person, and its page, if nothing is left to do for them here."""
    person = current_user.require_person()
    try:
        entries = run_list.list_runs(runs.read_register(session.get_data()))
    except VeilError:
        return None
    mine = [
        (entry.run, run_list.STEP_PAGES[entry.next_step.step])
        for entry in entries
        if entry.next_step and entry.next_step.step and entry.waits_for(person)
    ]
    if standing.snapshot.sign_off.next_step is not None and any(other.id == run.id for other, _ in mine):
        return None
    # The list begins with the newest.
    return next(((other, page) for other, page in reversed(mine) if other.id != run.id), None)
