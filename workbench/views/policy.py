"""The page Policy: the rules of the organisation, and the form to change them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import streamlit as st

from engine import access
from engine.access import Persons, Policy, Role
from engine.errors import VeilError
from workbench.auth import current_user
from workbench.core import formatting, session

_PERSONS_LABELS: Mapping[Persons, str] = {
    "one": "One person may run, review and approve",
    "two": "Two people: who ran or reviewed does not approve",
    "three": "Three people: one runs, another reviews, a third approves",
}
_SHARES = (
    ("min_items_percent", "Items to check that must be decided (%)"),
    ("min_frames_percent", "Frames that must be viewed by the reviewers (%)"),
    ("min_risk_percent", "Risk that must be viewed (%)"),
    ("min_approver_frames_percent", "Frames that the approver must view (%)"),
)


def show() -> None:
    """Show the policy and the form that changes it.

    Raises:
        AccessError: the policy cannot be read.
    """
    if session.IS_POLICY_SAVED.get():
        st.success("The policy is saved and logged. It counts for every signature from now on.")
        session.IS_POLICY_SAVED.set(False)
    try:
        policy = access.read_policy(session.get_data())
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))
        return
    st.markdown(
        "What a release takes. Below a share, a signature needs a tick and a reason, which Home, Sign off and the "
        "certificate show. `veil users policy` sets the same."
    )
    with st.form("policy"):
        changed = _show_fields(policy)
        if st.form_submit_button("Save the policy", type="primary"):
            _save(policy, changed)
    st.caption(
        f"Sign-in: {policy.failures} failures in a row lock an account for {policy.lock_minutes} minutes. A session "
        f"ends after {policy.idle_minutes} minutes without use, and after {policy.session_minutes} minutes in any "
        f"case. A password has at least {policy.password_length} characters."
    )


def _show_fields(policy: Policy) -> Policy:
    """Show a field for each rule and return the policy that they say."""
    persons = st.radio(
        "People", list(_PERSONS_LABELS), list(_PERSONS_LABELS).index(policy.persons),
        format_func=_PERSONS_LABELS.__getitem__, key="policy-persons",
    )  # fmt: skip
    columns = st.columns(2)
    shares = {
        field: int(
            columns[place % 2].number_input(
                label, min_value=0, max_value=100, value=getattr(policy, field), key=f"policy-{field}"
            )
        )
        for place, (field, label) in enumerate(_SHARES)
    }
    sample = st.checkbox(
        "A random sample check must have found no visible face", policy.random_sample, key="policy-sample"
    )
    roles: list[Role] = st.multiselect(
        "Roles that need a second factor", access.ROLES, policy.second_factor_roles, key="policy-roles"
    )
    return msgspec.structs.replace(
        policy, persons=persons, random_sample=sample, second_factor_roles=tuple(roles), **shares
    )


def _save(before: Policy, policy: Policy) -> None:
    if policy == before:
        st.info("Nothing was changed.")
        return
    try:
        access.set_policy(session.get_data(), current_user.require_person(), policy)
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))
    else:
        session.IS_POLICY_SAVED.set(True)
        st.rerun()
