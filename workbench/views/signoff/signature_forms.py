"""Signing, on the page Sign off: the forms in which a person says what they stand for, and the order to release."""

from __future__ import annotations

from typing import Literal, NamedTuple

import streamlit as st

from engine import access, release
from engine.access import Password, Permission
from engine.access.sessions import Credential
from engine.approval.statements import Meaning
from engine.errors import VeilError
from engine.masking.style import find_weaknesses
from engine.release import SignRequest
from engine.runs import Run
from workbench.auth import current_user
from workbench.core import caches, session
from workbench.core.formatting import escape_markdown, format_count, shorten_hash
from workbench.views.signoff.release_job import ReleaseJob, name_release_task

SignableMeaning = Literal["reviewed", "approved", "rejected"]


class _SigningForm(NamedTuple):
    """A form in which something is signed."""

    action: Permission
    meaning: SignableMeaning
    button_label: str
    text: str


_SIGNING_FORMS = (
    _SigningForm(
        "sign-reviewed", "reviewed", "Sign as reviewed", "I reviewed this run, and the amendments are complete."
    ),
    _SigningForm("sign-approved", "approved", "Approve", "I approve what is shown; the final video may be made of it."),
    _SigningForm("sign-rejected", "rejected", "Send back", "It goes back to review, for the reason given."),
)


def show_signatures(snapshot: release.SignOffSnapshot) -> None:
    """Every statement that was signed, and whether it counts."""
    standings = snapshot.sign_off.list_statement_statuses()
    if not standings:
        return
    st.header("Signatures", anchor=False)
    for standing in standings:
        why = (
            f"  \nDoes not count any more: {escape_markdown('; '.join(standing.void_reasons))}."
            if standing.void_reasons
            else ""
        )
        stands = ":material/undo:" if standing.statement.meaning == "rejected" else ":material/verified:"
        icon = ":material/block:" if standing.void_reasons else stands
        st.markdown(f"{icon} {escape_markdown(standing.statement.format_line())}{why}")


def show_forms(run: Run, snapshot: release.SignOffSnapshot) -> None:
    """The forms that this person's roles allow."""
    st.header("Sign", anchor=False)
    subject = snapshot.sign_off.hashes
    bound = (
        ("source", subject.source),
        ("record", subject.record),
        ("amendments", subject.review),
        ("terms", subject.terms),
    )
    shown = ", ".join(f"{name} {shorten_hash(sha256)}" for name, sha256 in bound)
    st.caption(f"A signature is bound to exactly what is shown here: {shown}.")
    offered = [form for form in _SIGNING_FORMS if access.is_allowed(current_user.require_person(), form.action)]
    if not offered:
        st.info("Signing takes the role reviewer or approver.", icon=":material/lock:")
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
            "Reason (needed)" if form.meaning == "rejected" else "Reason", key=f"{form.meaning}-reason"
        )
        credential = _show_credential_fields(form.meaning)
        kind: Literal["primary", "secondary"] = "primary" if form.meaning == "approved" else "secondary"
        if st.form_submit_button(form.button_label, type=kind):
            terms = snapshot.terms
            _submit_signature(
                run,
                credential,
                SignRequest(form.meaning, reason or None, terms.options, terms.suffix, snapshot.sign_off.hashes),
            )


def _find_refusal(snapshot: release.SignOffSnapshot, meaning: Meaning) -> str | None:
    """Why it cannot be signed now, in a sentence; the engine asks again when it is."""
    if why := snapshot.sign_off.find_refusal(meaning, current_user.require_person().account):
        return why
    if meaning == "approved" and not snapshot.terms.forced and find_weaknesses(snapshot.terms.style):
        return "This style would not hide a face; make it stronger before you approve."
    return None


def _show_credential_fields(key: str) -> Credential | None:
    """Fields for what confirms a signature; nothing is asked of a single user."""
    sitting = current_user.require_session()
    match sitting.person.how:
        case "account":
            account = st.text_input("Account", sitting.person.account, key=f"{key}-account")
            password = st.text_input("Password", type="password", key=f"{key}-password", autocomplete="off")
            return Password(password, account)
        case "oidc":
            st.caption("Your sign-in at the provider confirms this; it must be at most five minutes old.")
            return current_user.find_provider_login()
        case _:
            st.caption("A single user is asked for no credential, and the signature says so.")
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
    """The order to release, where it is approved and this person may.

    Args:
        run: the run.
        snapshot: as it stands.
        unjudged_count: how many findings hold it up.
    """
    if not snapshot.sign_off.find_valid_statements("approved"):
        return
    again = snapshot.sign_off.next_step is None
    if not access.is_allowed(current_user.require_person(), "release"):
        if not again:
            st.info("It is approved. Releasing takes the role approver.", icon=":material/lock:")
        return
    st.header("Release again" if again else "Release", anchor=False)
    with st.form("release", border=True):
        st.caption(
            "The final video is rendered, verified and searched for faces left over, which may take long. You may "
            "close the page meanwhile."
        )
        if again:
            st.caption(
                "What is shown is released already; another release gives the same video with another certificate."
            )
        if unjudged_count:
            st.markdown(
                f":material/block: {format_count(unjudged_count, 'finding')} above must be judged first, or the "
                "release stops."
            )
        reason = st.text_input("Reason", key="release-reason")
        credential = _show_credential_fields("release")
        kind: Literal["primary", "secondary"] = "secondary" if again or unjudged_count else "primary"
        if st.form_submit_button("Release the final video", type=kind):
            who = current_user.require_session(), current_user.get_session_token(), credential
            order = ReleaseJob(session.get_data(), run.id, *who, snapshot.terms.options, reason or None)
            caches.get_background_tasks().start(name_release_task(run.id), order.run)
            st.rerun()
