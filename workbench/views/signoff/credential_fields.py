"""The fields with which a person confirms a signature."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from engine import access
from engine.access import Credential, Password
from workbench.auth import current_user
from workbench.core import session


def show_credential_fields(key: str) -> Credential | None:
    """Show the fields that confirm a signature; a single user needs none."""
    user_session = current_user.require_session()
    match user_session.person.how:
        case "account":
            account = st.text_input("Account", user_session.person.account, key=f"{key}-account")
            password = st.text_input("Password", type="password", key=f"{key}-password", autocomplete="off")
            code = None
            signer = access.read_people(session.get_data()).find_account(user_session.person.account)
            if signer is not None and signer.second_factor is not None:
                code = st.text_input(
                    "Code of your second factor",
                    key=f"{key}-code",
                    autocomplete="one-time-code",
                    help="Each code works once: wait for a new one if you have just signed in or signed.",
                )
            return Password(password, account, code, datetime.now(UTC))
        case "oidc":
            st.caption("Your sign-in at the provider confirms this. It must be at most five minutes old.")
            return current_user.find_provider_login()
        case _:
            st.caption("Single-user mode: no password is needed. The signature states this.")
            return None
