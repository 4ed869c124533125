"""Signing, on the page Sign off: the forms in which a person says what they stand for, and the order to release."""

from __future__ import annotations

from typing import Literal, NamedTuple

import streamlit as st

from engine import access, release
from engine.access import Action, Password
from engine.access.sessions import Credential
from engine.approval.statements import Meaning
from engine.errors import VeilError
from engine.masking.style import weaknesses
from engine.release import Wish
from engine.runs import Run
from workbench.auth import current_user
from workbench.core import caches, session
from workbench.core.formatting import count, plain, short
from workbench.views.signoff import summary
from workbench.views.signoff.release_job import Order, release_of

SignedBy = Literal["reviewed", "approved", "rejected"]


class _Form(NamedTuple):
    """A form in which something is signed."""

    action: Action
    meaning: SignedBy
    button: str
    words: str


_FORMS = (
    _Form("sign-reviewed", "reviewed", "Sign as reviewed", "I reviewed this run, and the amendments are complete."),
    _Form("sign-approved", "approved", "Approve", "I approve what is shown; the final video may be made of it."),
    _Form("sign-rejected", "rejected", "Send back", "It goes back to review, for the reason given."),
)


def signatures(case: release.Case) -> None:
    """Every statement that was signed, and whether it counts."""
    standings = case.steps.standings()
    if not standings:
        return
    st.header("Signatures", anchor=False)
    for standing in standings:
        why = f"  \nDoes not count any more: {plain('; '.join(standing.void))}." if standing.void else ""
        stands = ":material/undo:" if standing.statement.meaning == "rejected" else ":material/verified:"
        icon = ":material/block:" if standing.void else stands
        st.markdown(f"{icon} {plain(standing.statement.line())}{why}")


def forms(run: Run, case: release.Case) -> None:
    """The forms that this person's roles allow."""
    st.header("Sign", anchor=False)
    subject = case.steps.subject
    bound = (
        ("source", subject.source),
        ("record", subject.record),
        ("amendments", subject.review),
        ("terms", subject.terms),
    )
    shown = ", ".join(f"{name} {short(sha256)}" for name, sha256 in bound)
    st.caption(f"A signature is bound to exactly what is shown here: {shown}.")
    offered = [form for form in _FORMS if access.may(current_user.person(), form.action)]
    if not offered:
        st.info("Signing takes the role reviewer or approver.", icon=":material/lock:")
    for form, place in zip(offered, st.columns(len(_FORMS)), strict=False):
        with place:
            _form(run, case, form)


def _form(run: Run, case: release.Case, form: _Form) -> None:
    with st.form(f"sign-{form.meaning}", border=True, height="stretch"):
        st.markdown(f"**{form.button}**")
        st.caption(form.words)
        refusal = _refusal(case, form.meaning)
        if refusal:
            st.markdown(f":material/block: {plain(refusal)}")
            st.form_submit_button(form.button, disabled=True)
            return
        reason = st.text_input(
            "Reason (needed)" if form.meaning == "rejected" else "Reason", key=f"{form.meaning}-reason"
        )
        credential = _credential(form.meaning)
        kind: Literal["primary", "secondary"] = "primary" if form.meaning == "approved" else "secondary"
        if st.form_submit_button(form.button, type=kind):
            terms = case.terms
            _sign(run, credential, Wish(form.meaning, reason or None, terms.options, terms.suffix, case.steps.subject))


def _refusal(case: release.Case, meaning: Meaning) -> str | None:
    """Why it cannot be signed now, in a sentence; the engine asks again when it is."""
    if why := case.steps.refusal(meaning, current_user.person().account):
        return why
    if meaning == "approved" and not case.terms.forced and weaknesses(case.terms.style):
        return "This style would not hide a face; make it stronger before you approve."
    return None


def _credential(key: str) -> Credential | None:
    """Fields for what confirms a signature; nothing is asked of a single user."""
    sitting = current_user.sitting()
    match sitting.person.how:
        case "account":
            account = st.text_input("Account", sitting.person.account, key=f"{key}-account")
            password = st.text_input("Password", type="password", key=f"{key}-password", autocomplete="off")
            return Password(password, account)
        case "oidc":
            st.caption("Your sign-in at the provider confirms this; it must be at most five minutes old.")
            return current_user.provider_login()
        case _:
            st.caption("A single user is asked for no credential, and the signature says so.")
            return None


def _sign(run: Run, credential: Credential | None, wish: Wish) -> None:
    try:
        statement, changed = release.sign(session.data(), run.id, current_user.sitting(), credential, wish)
    except VeilError as error:
        st.error(str(error))
        return
    current_user.keep_sitting(changed)
    session.SIGNED.set(f"Signed: {plain(statement.line())}")
    st.rerun()


def releasing(run: Run, case: release.Case, unjudged: int) -> None:
    """The order to release, where it is approved and this person may.

    Args:
        run: the run.
        case: as it stands.
        unjudged: how many findings hold it up.
    """
    if summary.step_of(case) != "approved":
        return
    again = bool(summary.holding(case, "released"))
    if not access.may(current_user.person(), "release"):
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
        if unjudged:
            st.markdown(
                f":material/block: {count(unjudged, 'finding')} above must be judged first, or it comes to nothing."
            )
        reason = st.text_input("Reason", key="release-reason")
        credential = _credential("release")
        kind: Literal["primary", "secondary"] = "secondary" if again or unjudged else "primary"
        if st.form_submit_button("Release the final video", type=kind):
            who = current_user.sitting(), current_user.token(), credential
            order = Order(session.data(), run.id, *who, case.terms.options, reason or None)
            caches.works().start(release_of(run.id), order.fulfil)
            st.rerun()
