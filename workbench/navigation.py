"""The script of every session: the signed-in user, page settings and navigation."""

from __future__ import annotations

import streamlit as st

from engine.access import Person
from engine.errors import AccessError
from workbench.auth import current_user, sign_out
from workbench.auth.middleware import SECOND_FACTOR_PATH
from workbench.components import page_help
from workbench.core import session
from workbench.core.formatting import escape_markdown
from workbench.core.links import Page
from workbench.core.page_table import can_use_page, list_existing_pages, to_streamlit_page
from workbench.theme import css

_SIDEBAR_WIDTH_PX = 220
"""Width of the sidebar. The pages need the rest."""


def main() -> None:
    """Show the page in the address to the signed-in user."""
    st.set_page_config(
        page_title="Veil", page_icon=css.ICON_SVG, layout="wide", initial_sidebar_state=_SIDEBAR_WIDTH_PX
    )
    st.html(css.PAGE_CSS)
    try:
        person = current_user.require_person()
    except AccessError as error:
        # Still declared, so that the address stays and the sign-in leads back to it.
        st.navigation([to_streamlit_page(page) for page in list_existing_pages()], position="hidden")
        sign_out.show_signed_out(str(error))
        st.stop()
    # A page of no use to this person is hidden, not absent: a shared link to it leads to an explanation.
    chosen = st.navigation(
        [to_streamlit_page(page, hidden=not can_use_page(page, person)) for page in list_existing_pages()]
    )
    st.set_page_config(page_title=f"{chosen.title} · Veil")
    session.enter_page(chosen.title)
    st.logo(css.LOGO_SVG, size="large")
    with st.sidebar:
        page_help.show_help(Page(chosen.url_path), person)
        _show_person(person)
    chosen.run()


def _show_person(person: Person) -> None:
    """Show the user and the sign-out button."""
    if person.how == "single-user":
        st.caption(f'{escape_markdown(person.name)}, single-user mode. No sign-in; records are marked "single user".')
        return
    st.caption(f"**{escape_markdown(person.name)}**  \n{', '.join(person.roles)}")
    if person.how == "account":
        with st.container(key=f"{css.BUTTON_LINK_KEY}-second-factor", width="content"):
            st.html(f'<a href="{SECOND_FACTOR_PATH}" target="_self">Second factor</a>')
    if st.button("Sign out", icon=":material/logout:"):
        sign_out.sign_out()


main()
