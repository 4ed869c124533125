"""The tour for somebody who opens the workbench for the first time: offered in the sidebar until it is dismissed."""

from __future__ import annotations

import streamlit as st

from engine.access import Person
from engine.access.tour import dismiss_tour, has_seen_tour
from workbench.core import session

_STEPS = (
    ("Detect", "Choose videos and start a run. Detectors find the faces in the background; you can close the page."),
    (
        "Review",
        """Each person has a card. Say whether the masks are right, then settle the items to check, mask what was
missed, and remove masks that hide no face. Press `?` for the keys.""",
    ),
    (
        "Sign off",
        """Five steps: summary, draft, style and audio, sign, release. Who approves is another person than who reviewed,
if your policy says so.""",
    ),
    (
        "Release",
        """The final video is rendered, verified and searched for faces that still show. It comes with a certificate
that anyone can check without Veil.""",
    ),
    (
        "Home",
        """Your tasks come first: runs whose next step is yours. *Help* in the sidebar has a text for each page, the
glossary, all shortcuts, and this tour.""",
    ),
)


def show_offer(person: Person) -> bool:
    """Offer the tour to a person who has neither taken nor dismissed it; return True if it was started."""
    if session.IS_TOUR_DISMISSED.get() or has_seen_tour(session.get_data(), person.account):
        return False
    with st.container(border=True, gap="xsmall"):
        st.caption("New here? The tour takes a minute.")
        with st.container(horizontal=True, gap="xsmall"):
            is_started = st.button("Take the tour", type="primary", key="tour-start")
            st.button("No, thanks", key="tour-dismiss", on_click=_dismiss, args=(person,))
    if is_started:
        _dismiss(person)
    return is_started


def show_tour() -> None:
    """Show the tour, one step at a time."""
    place = session.TOUR_STEP.get()
    title, text = _STEPS[place]
    st.markdown(f"**{place + 1} of {len(_STEPS)}: {title}**\n\n{text}")
    with st.container(horizontal=True):
        st.button("Back", key="tour-back", disabled=not place, on_click=_go_to, args=(place - 1,))
        st.button(
            "Next", type="primary", key="tour-next", disabled=place == len(_STEPS) - 1, on_click=_go_to,
            args=(place + 1,),
        )  # fmt: skip


def _go_to(place: int) -> None:
    session.TOUR_STEP.set(place)


def _dismiss(person: Person) -> None:
    session.IS_TOUR_DISMISSED.set(True)
    dismiss_tour(session.get_data(), person.account)
