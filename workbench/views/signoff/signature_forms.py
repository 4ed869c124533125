"""The signatures section of the Sign off page: existing signatures, signing forms and the release form."""

from __future__ import annotations

from typing import Literal, NamedTuple

import streamlit as st

from engine import access, release
from engine.access import Password, Permission
from engine.access.sessions import Credential
from engine.approval.statements import Meaning
from engine.core.wording import format_count
from engine.errors import VeilError
from engine.masking.style import find_weaknesses
from engine.release import SignRequest
from engine.runs import Run
from workbench.auth import current_user
from workbench.core import caches, session
from workbench.core.formatting import escape_markdown, shorten_hash
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


def show_signatures(snapshot: release.SignOffSnapshot) -> None:
    """Show every signed statement, and whether it is still valid."""
    statuses = snapshot.sign_off.list_statement_statuses()
    if not statuses:
        return
    st.header("Signatures", anchor=False)
    for status in statuses:
        void_text = (
            f"  \nNo longer valid: {escape_markdown('; '.join(status.void_reasons))}." if status.void_reasons else ""
        )
        valid_icon = ":material/undo:" if status.statement.meaning == "rejected" else ":material/verified:"
        icon = ":material/block:" if status.void_reasons else valid_icon
        st.markdown(f"{icon} {escape_markdown(status.statement.format_line())}{void_text}")


def show_forms(run: Run, snapshot: release.SignOffSnapshot) -> None:
    """Show the signing forms that this person's roles allow."""
    st.header("Sign", anchor=False)
    subject = snapshot.sign_off.hashes
    bound = (
        ("source", subject.source),
        ("record", subject.record),
        ("amendments", subject.review),
        ("output settings", subject.terms),
    )
    shown = ", ".join(f"{name} {shorten_hash(sha256)}" for name, sha256 in bound)
    st.caption(f"A signature covers exactly what this page shows. SHA-256: {shown}.")
    offered = [form for form in _SIGNING_FORMS if access.is_allowed(current_user.require_person(), form.action)]
    if not offered:
        st.info("You need the Reviewer or Approver role to sign.", icon=":material/lock:")
    for form, place in zip(offered, st.columns(len(_SIGNING_FORMS)), strict=False):
        with place:
            _show_form(run, snapshot, form)


def _show_form(run: Run, snapshot: release.SignOffSnapshot, form: _SigningForm) -> None:
    with st.form(f"sign-{form.meaning}", border=True, height="stretch"):
        st.markdown(f"**{form.button_label}**")
        st.caption(form.text)
        refusal = _find_refusal(snapshot, form.meaning)
        if refusal:
            st.markdown(f":material/block: {escape_markdown(refusal)}")
            st.form_submit_button(form.button_label, disabled=True)
            return
        reason = st.text_input(
            "Reason (required)" if form.meaning == "rejected" else "Reason", key=f"{form.meaning}-reason"
        )
        credential = _show_credential_fields(form.meaning)
        kind: Literal["primary", "secondary"] = "primary" if form.meaning == "approved" else "secondary"
        if st.form_submit_button(form.button_label, type=kind):
            # The hashes that this page showed: if anything changed since, signing is refused.
            terms = snapshot.terms
            _submit_signature(
                run,
                credential,
                SignRequest(form.meaning, reason or None, terms.options, terms.suffix, snapshot.sign_off.hashes),
            )


def _find_refusal(snapshot: release.SignOffSnapshot, meaning: Meaning) -> str | None:
    """Return why this cannot be signed now, or None. The engine checks again when it is signed."""
    if why := snapshot.sign_off.find_refusal(meaning, current_user.require_person().account):
        return why
    if meaning == "approved" and not snapshot.terms.forced and find_weaknesses(snapshot.terms.style):
        return "This style would not hide a face. Make it stronger before you approve."
    return None


def _show_credential_fields(key: str) -> Credential | None:
    """Show the fields that confirm a signature; a single user needs none."""
    user_session = current_user.require_session()
    match user_session.person.how:
        case "account":
            account = st.text_input("Account", user_session.person.account, key=f"{key}-account")
            password = st.text_input("Password", type="password", key=f"{key}-password", autocomplete="off")
            return Password(password, account)
        case "oidc":
            st.caption("Your sign-in at the provider confirms this. It must be at most five minutes old.")
            return current_user.find_provider_login()
        case _:
            st.caption("Single-user mode: no password is needed. The signature states this.")
            return None


def _submit_signature(run: Run, credential: Credential | None, request: SignRequest) -> None:
    try:
        statement, changed = release.sign(
            session.get_data(), run.id, current_user.require_session(), credential, request
        )
    except VeilError as error:
        st.error(str(error))
        return
    current_user.store_session(changed)
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
        return
    again = snapshot.sign_off.next_step is None
    if not access.is_allowed(current_user.require_person(), "release"):
        if not again:
            st.info("This run is approved. You need the Approver role to release it.", icon=":material/lock:")
        return
    st.header("Release again" if again else "Release", anchor=False)
    with st.form("release", border=True):
        st.caption(
            "Veil renders and verifies the final video, then checks it for visible faces. This can take a long time. "
            "You can close this page."
        )
        if again:
            st.caption("This is already released. Another release gives the same video with a new certificate.")
        if unjudged_count:
            st.markdown(
                f":material/block: Judge {format_count(unjudged_count, 'finding')} above first. Otherwise the release "
                "stops."
            )
        reason = st.text_input("Reason", key="release-reason")
        credential = _show_credential_fields("release")
        kind: Literal["primary", "secondary"] = "secondary" if again or unjudged_count else "primary"
        if st.form_submit_button("Release the final video", type=kind):
            signer = current_user.require_session(), current_user.get_session_token(), credential
            job = ReleaseJob(session.get_data(), run.id, *signer, snapshot.terms.options, reason or None)
            caches.get_background_tasks().start(name_release_task(run.id), job.run)
            st.rerun()
