"""Approve or release several runs at once: a list to choose from, what was checked in each, and one confirmation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from engine import access, release, runs
from engine.access import Credential, Session
from engine.approval.review_policy import find_shortfalls
from engine.core.progress import ProgressListener
from engine.core.wording import format_count
from engine.errors import CheckFailedError, VeilError
from engine.masking.presets import find_preset
from engine.masking.style import find_weaknesses
from engine.release import SignRequest
from engine.runs import Run
from engine.storage.data_folder import DataFolder
from workbench.auth import current_user, session_store
from workbench.components import run_list
from workbench.components.progress_bar import show_progress
from workbench.components.task_outcome import show_outcome
from workbench.core import caches, formatting, session, style_names
from workbench.core.formatting import escape_markdown
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import show_page_link
from workbench.views.signoff import credential_fields, findings, review_summary

_TASK = "release several"
_MOST_RUNS = 20
"""Runs of one list. Each is measured as for a signature, which takes a moment."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """A run that may be chosen.

    Attributes:
        run: the run.
        text: what was checked, found and decided.
        obstacle: why it has to be signed alone, None if it can be chosen.
        shown: the run as it is shown, to which the signature is bound.
    """

    run: Run
    text: str
    obstacle: str | None
    shown: release.SignOffSnapshot


@dataclass(frozen=True, slots=True)
class _Signer:
    """The person who releases: their session, the token under which it is stored, and what confirms the signatures."""

    session: Session
    token: str | None
    credential: Credential | None


def show_several() -> None:
    """Show the runs that this person can approve or release together, folded away; nothing if there are fewer than two.

    A run below the policy, or with an open finding, is signed alone, where what is lacking is on the screen.
    """
    if message := session.SIGNATURE_MESSAGE.take():
        st.success(message)
    _show_running_release()
    person = current_user.require_person()
    try:
        entries = run_list.list_runs(runs.read_register(session.get_data()))
    except VeilError:
        return  # the list below says what is wrong
    for step, title, show in (("approval", "Approve", _show_approval), ("release", "Release", _show_release)):
        waiting = [
            entry.run
            for entry in reversed(entries)  # the one that waits longest first
            if entry.next_step is not None and entry.next_step.step == step and entry.waits_for(person)
        ]
        if len(waiting) > 1:
            with st.expander(f"{title} several: {format_count(len(waiting), 'run')} waiting", key=f"several-{step}"):
                show(waiting[:_MOST_RUNS])


def _show_running_release() -> None:
    if caches.get_background_tasks().is_running(_TASK):
        st.info("Releasing several runs. You can close this page.", icon=":material/hourglass:")
        show_progress(_TASK)
    else:
        show_outcome(_TASK, success="Every chosen run is released.")


def _show_approval(waiting: Sequence[Run]) -> None:
    choices = _measure(waiting, _describe_approval)
    chosen = _show_choices(choices, "approve")
    if all(choice.obstacle for choice in choices):
        return
    with st.form("approve-several", border=False):
        reason = st.text_input("Reason", key="approve-several-reason")
        credential = credential_fields.show_credential_fields("approve-several")
        if st.form_submit_button(f"Approve {format_count(len(chosen), 'run')}", type="primary", disabled=not chosen):
            _approve(chosen, credential, reason or None)


def _show_release(waiting: Sequence[Run]) -> None:
    choices = _measure(waiting, _describe_release)
    chosen = _show_choices(choices, "release")
    if all(choice.obstacle for choice in choices):
        return
    is_busy = caches.get_background_tasks().is_running(_TASK)
    with st.form("release-several", border=False):
        st.caption("They are rendered, verified and checked for visible faces one after another.")
        credential = credential_fields.show_credential_fields("release-several")
        label = f"Release {format_count(len(chosen), 'run')}"
        if st.form_submit_button(label, type="primary", disabled=not chosen or is_busy):
            signer = _Signer(current_user.require_session(), current_user.get_session_token(), credential)
            task = partial(_release_runs, session.get_data(), tuple(choice.run for choice in chosen), signer)
            caches.get_background_tasks().start(_TASK, task)
            st.rerun()


def _measure(waiting: Sequence[Run], describe: Callable[[Run, release.SignOffSnapshot], _Choice]) -> list[_Choice]:
    """Measure runs as for a signature; a run that cannot be read is left out, as its own page says what is wrong."""
    choices = []
    for run in waiting:
        try:
            choices.append(describe(run, caches.get_sign_off_snapshot(session.get_data(), run, None)))
        except VeilError:
            continue
    return choices


def _describe_approval(run: Run, snapshot: release.SignOffSnapshot) -> _Choice:
    review = review_summary.measure_review(run)
    shortfalls = find_shortfalls(access.read_policy(session.get_data()), "approved", review.figures)
    obstacle = snapshot.sign_off.find_refusal("approved", current_user.require_person().account)
    if obstacle is None and not snapshot.terms.forced and find_weaknesses(snapshot.terms.style):
        obstacle = "this style would not hide a face"
    if obstacle is None and shortfalls:
        obstacle = "; ".join(shortfalls)
    visible = len(review.reviewed.amended.find_removed()) + len(review.reviewed.amended.find_kept_visible())
    text = (
        f"{_describe_statements(snapshot)}. {format_count(len(snapshot.review.amendments), 'amendment')}, "
        f"{format_count(visible, 'decision')} to show something. {review.figures.to_sentence()} "
        f"Style: {style_names.STYLE_NAMES[find_preset(snapshot.terms.style) or style_names.OWN_STYLE]}."
    )
    return _Choice(run, text, obstacle, snapshot)


def _describe_release(run: Run, snapshot: release.SignOffSnapshot) -> _Choice:
    unjudged = findings.list_open_findings(run)
    obstacle = snapshot.sign_off.find_refusal("released", current_user.require_person().account)
    if unjudged:
        obstacle = f"{format_count(len(unjudged), 'finding')} of the leak check to judge"
    return _Choice(run, f"{_describe_statements(snapshot)}.", obstacle, snapshot)


def _describe_statements(snapshot: release.SignOffSnapshot) -> str:
    valid = [status.statement for status in snapshot.sign_off.list_statement_statuses() if status.counts]
    return ", ".join(f"{statement.meaning} by {statement.name}" for statement in valid)


def _show_choices(choices: Sequence[_Choice], action: str) -> list[_Choice]:
    """Show each run with its box and what was checked, and return the chosen ones."""
    keys = [f"{action}-{choice.run.id}" for choice in choices if choice.obstacle is None]
    if keys:
        st.checkbox(f"All ({len(keys)})", key=f"{action}-all", on_change=_choose_all, args=(action, keys))
    else:
        st.caption("Each of these runs has to be signed alone.")
    chosen = []
    for choice in choices:
        box, words, link = st.columns([3, 6, 1], vertical_alignment="center")
        is_chosen = box.checkbox(
            escape_markdown(choice.run.title), key=f"{action}-{choice.run.id}", disabled=choice.obstacle is not None
        )
        why = f"  \n:material/block: Sign it alone: {escape_markdown(choice.obstacle)}" if choice.obstacle else ""
        words.markdown(f"{escape_markdown(choice.text)}{why}")
        with link:
            show_page_link(Page.SIGN_OFF, "Open", PageLocation(choice.run.id))
        if is_chosen and choice.obstacle is None:
            chosen.append(choice)
    return chosen


def _choose_all(action: str, keys: Sequence[str]) -> None:
    for key in keys:
        st.session_state[key] = st.session_state[f"{action}-all"]


def _approve(chosen: Sequence[_Choice], credential: Credential | None, reason: str | None) -> None:
    requests = [
        (
            choice.run.id,
            SignRequest(
                "approved",
                reason,
                choice.shown.terms.options,
                choice.shown.terms.suffix,
                choice.shown.sign_off.hashes,
            ),
        )
        for choice in chosen
    ]
    try:
        with st.spinner("Signing"):
            statements, changed = release.sign_several(
                session.get_data(), requests, current_user.require_session(), credential
            )
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))
        return
    current_user.store_session(changed)
    session.SIGNATURE_MESSAGE.set(f"Approved: {format_count(len(statements), 'run')}.")
    st.rerun()


def _release_runs(data: DataFolder, chosen: Sequence[Run], signer: _Signer, listener: ProgressListener) -> None:
    """Release runs, and name those that were stopped.

    Raises:
        CheckFailedError: some were stopped.
        VeilError: as `engine.release.release_series` raises.
    """
    titles = {run.id: run.title for run in chosen}
    outcome = release.release_series(
        data, release.SeriesRequest(tuple(titles)), signer.session, signer.credential, listener=listener
    )
    changed = outcome.session
    # Confirming marks the session as one that has signed; the browser's session must say so too.
    if signer.token is not None and changed.person.how != "single-user":
        session_store.replace(data, signer.token, changed)
    if outcome.stopped:
        done = len(chosen) - len(outcome.stopped)
        sentences = [f"{titles[run_id]}: {sentence}" for run_id, sentence in outcome.stopped.items()]
        raise CheckFailedError(f"{format_count(done, 'run')} released. Stopped: {' '.join(sentences)}")
