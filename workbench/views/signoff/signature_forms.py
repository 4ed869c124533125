"""The signing steps of the Sign off page: existing signatures, signing forms and the release form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import streamlit as st

from engine import access, release
from engine.access import Credential, Permission
from engine.approval.review_policy import ReviewFigures, find_shortfalls
from engine.approval.statements import Meaning
from engine.approval.steps import StepName
from engine.core.wording import format_count, to_sentence
from engine.errors import VeilError
from engine.masking.style import find_weaknesses
from engine.release import SignRequest
from engine.runs import Run
from workbench.auth import current_user
from workbench.core import caches, formatting, session
from workbench.core.formatting import escape_markdown, shorten_hash
from workbench.views.signoff import credential_fields, notes
from workbench.views.signoff.release_job import ReleaseJob, name_release_task

SignableMeaning = Literal["reviewed", "approved", "rejected"]


class _SigningForm(NamedTuple):
    """A form for one kind of signature."""

    action: Permission
    meaning: SignableMeaning
    button_label: str
    text: str


_SIGNING_FORMS = (
    _SigningForm(
        "sign-reviewed", "reviewed", "Sign as reviewed", "I reviewed this run, and the amendments are complete."
    ),
    _SigningForm("sign-approved", "approved", "Approve", "I approve this review, style and audio for the final video."),
    _SigningForm("sign-rejected", "rejected", "Send back", "Send this run back to the reviewer, with a reason."),
)


_STEP_MEANINGS: Mapping[StepName | None, SignableMeaning] = {"review": "reviewed", "approval": "approved"}
"""The signature that each step needs; a release has a form of its own."""


def show_exceptions(snapshot: release.SignOffSnapshot) -> None:
    """Show which signatures were given although less was checked than the policy asks for, and why."""
    for status in snapshot.sign_off.list_statement_statuses():
        one = status.statement
        if status.counts and one.below_policy:
            st.warning(
                f"{escape_markdown(one.name)} signed this as {one.meaning} below the policy: "
                f"{escape_markdown('; '.join(one.below_policy))}. Reason: {escape_markdown(one.reason or '')}",
                icon=":material/policy:",
            )


def show_signatures(snapshot: release.SignOffSnapshot) -> None:
    """Show every signed statement, and whether it is still valid, folded away."""
    statuses = snapshot.sign_off.list_statement_statuses()
    if not statuses:
        return
    with st.expander(format_count(len(statuses), "signature")):
        for status in statuses:
            void_text = (
                f"  \nNo longer valid: {escape_markdown('; '.join(status.void_reasons))}."
                if status.void_reasons
                else ""
            )
            valid_icon = ":material/undo:" if status.statement.meaning == "rejected" else ":material/verified:"
            icon = ":material/block:" if status.void_reasons else valid_icon
            st.markdown(f"{icon} {escape_markdown(status.statement.format_line())}{void_text}")


def show_forms(run: Run, snapshot: release.SignOffSnapshot, figures: ReviewFigures) -> None:
    """Show the signing forms that this person's roles allow, that of the next step first."""
    person = current_user.require_person()
    offered = [form for form in _SIGNING_FORMS if access.is_allowed(person, form.action)]
    if not offered:
        st.info("You need the Reviewer or Approver role to sign.", icon=":material/lock:")
        return
    meaning = _STEP_MEANINGS.get(snapshot.sign_off.next_step)
    wanted = next((form for form in offered if form.meaning == meaning), None)
    others = [form for form in offered if form is not wanted and _find_refusal(snapshot, form.meaning) is None]
    if wanted is None and meaning is not None:
        role = "Reviewer" if meaning == "reviewed" else "Approver"
        st.info(f"The next signature needs the {role} role.", icon=":material/lock:")
    if wanted is not None:
        _show_form(run, snapshot, wanted, figures)
    if others:
        labels = " or ".join(form.button_label for form in others)
        with st.expander(labels if wanted else f"Other signatures: {labels}"):
            for form in others:
                _show_form(run, snapshot, form, figures)
    subject = snapshot.sign_off.hashes
    bound = (
        ("source", subject.source),
        ("record", subject.record),
        ("amendments", subject.review),
        ("output settings", subject.terms),
    )
    shown = ", ".join(f"{name} {shorten_hash(sha256)}" for name, sha256 in bound)
    st.caption(f"A signature covers exactly what this page shows. SHA-256: {shown}.")


def _show_form(run: Run, snapshot: release.SignOffSnapshot, form: _SigningForm, figures: ReviewFigures) -> None:
    with st.form(f"sign-{form.meaning}", border=True):
        st.markdown(f"**{form.button_label}**  \n{form.text}")
        if refusal := _find_refusal(snapshot, form.meaning):
            st.markdown(f":material/block: {escape_markdown(refusal)}")
            st.form_submit_button(form.button_label, disabled=True)
            return
        shortfalls = find_shortfalls(access.read_policy(session.get_data()), form.meaning, figures)
        is_confirmed = _show_shortfalls(form.meaning, shortfalls)
        is_required = form.meaning == "rejected" or bool(shortfalls)
        reason = st.text_input("Reason (required)" if is_required else "Reason", key=f"{form.meaning}-reason")
        frames = _show_frames_field(run) if form.meaning == "rejected" else ""
        credential = credential_fields.show_credential_fields(form.meaning)
        kind: Literal["primary", "secondary"] = "secondary" if form.meaning == "rejected" else "primary"
        if st.form_submit_button(form.button_label, type=kind):
            if shortfalls and not (is_confirmed and reason.strip()):
                st.error("Tick the box and give a reason, or check the rest first.")
                return
            # The hashes that this page showed: if anything changed since, signing is refused.
            terms, shown = snapshot.terms, snapshot.sign_off.hashes
            request = SignRequest(
                form.meaning, reason or None, terms.options, terms.suffix, shown, below_policy=is_confirmed
            )
            _submit_signature(run, credential, request, frames)


def _show_frames_field(run: Run) -> str:
    return st.text_input(
        "Frames to look at again (optional)",
        notes.suggest_frames(run),
        placeholder="120, 300",
        help="The reviewer gets a link to each. Your open notes on frames are filled in.",
        key="rejected-frames",
    )


def _show_shortfalls(meaning: Meaning, shortfalls: Sequence[str]) -> bool:
    """Show what the policy asks for and is lacking, with the box to tick; return whether it is ticked."""
    if not shortfalls:
        return False
    lines = "".join(f"\n- {escape_markdown(to_sentence(one))}" for one in shortfalls)
    st.warning(f"Less was checked than your organisation asks for:\n{lines}", icon=":material/policy:")
    return st.checkbox(
        "I sign although this was not checked. Home, the approver's page and the certificate show it with my reason.",
        key=f"{meaning}-below-policy",
    )


def _find_refusal(snapshot: release.SignOffSnapshot, meaning: Meaning) -> str | None:
    """Return why this cannot be signed now, or None. The engine checks again when it is signed."""
    if why := snapshot.sign_off.find_refusal(meaning, current_user.require_person().account):
        return why
    if meaning == "approved" and not snapshot.terms.forced and find_weaknesses(snapshot.terms.style):
        return "This style would not hide a face. Make it stronger before you approve."
    return None


def _submit_signature(run: Run, credential: Credential | None, request: SignRequest, frames: str) -> None:
    try:
        request = replace(request, frames=notes.parse_frames(frames))
        with st.spinner("Signing"):
            statement, changed = release.sign(
                session.get_data(), run.id, current_user.require_session(), credential, request
            )
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))
        return
    current_user.store_session(changed)
    session.IS_JUST_APPROVED.set(statement.meaning == "approved")
    session.SIGNATURE_MESSAGE.set(f"Signed: {escape_markdown(statement.format_line())}")
    st.rerun()


def show_release_form(run: Run, snapshot: release.SignOffSnapshot, unjudged_count: int) -> None:
    """Show the release form if the run is approved and this person may release it.

    Args:
        run: the run.
        snapshot: the run as this page shows it.
        unjudged_count: number of findings that block the release.
    """
    if not snapshot.sign_off.find_valid_statements("approved"):
        st.info("The run is released after a reviewer and an approver have signed.", icon=":material/lock:")
        return
    again = snapshot.sign_off.next_step is None
    if not access.is_allowed(current_user.require_person(), "release"):
        if not again:
            st.info("This run is approved. You need the Approver role to release it.", icon=":material/lock:")
        return
    if again:
        with st.expander("Release again"):
            _show_release_fields(run, snapshot, unjudged_count, again=again)
    else:
        _show_release_fields(run, snapshot, unjudged_count, again=again)


def _show_release_fields(run: Run, snapshot: release.SignOffSnapshot, unjudged_count: int, *, again: bool) -> None:
    with st.form("release", border=True):
        st.markdown(
            "**Release**  \nVeil renders and verifies the final video, then checks it for visible faces. This can take "
            "a long time. You can close this page."
        )
        if again:
            st.caption("This is already released. Another release gives the same video with a new certificate.")
        if unjudged_count:
            st.markdown(
                f":material/block: Judge {format_count(unjudged_count, 'finding')} above first. Otherwise the release "
                "stops."
            )
        reason = st.text_input("Reason", key="release-reason")
        credential = credential_fields.show_credential_fields("release")
        kind: Literal["primary", "secondary"] = "secondary" if again or unjudged_count else "primary"
        if st.form_submit_button("Release the final video", type=kind):
            signer = current_user.require_session(), current_user.get_session_token(), credential
            job = ReleaseJob(session.get_data(), run.id, *signer, snapshot.terms.options, reason or None)
            caches.get_background_tasks().start(name_release_task(run.id), job.run)
            st.rerun()
