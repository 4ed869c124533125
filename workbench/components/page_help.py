"""Help in the sidebar: what the page is for, the glossary, the shortcuts and the tour."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from engine.access import Person
from workbench.components import glossary, shortcuts, tour
from workbench.core.links import Page

_PAGE_TEXTS: Mapping[Page, str] = {
    Page.HOME: """Your tasks come first: runs whose next step you may take, if they are assigned to you or to nobody.

- **Search** looks through videos, folders and people. **Show** picks one group, also the archive.
- Cards stay where they are. **Update** moves those that belong to another group by now.
- **More** on a card assigns the run, archives it, or removes a run that has no record.""",
    Page.DETECT: """Choose videos of the library or upload them, choose a mode, and start.

- The runs continue if you close the page; Home shows them.
- **On-prem** and **Hybrid** send nothing. **Cloud** asks before it sends frames to Amazon.""",
    Page.REVIEW: """Decide every item to check, mask what was missed, and remove masks that hide no face.

- `n` goes to the next item, `a` confirms it, `d` masks a face, `x` removes a mask for a reason.
- `?` shows all shortcuts.""",
    Page.ANALYSE: """Compare runs: what each detector found, where they disagree, and how many faces were missed.

- A table of true faces (CSV) gives recall and precision.""",
    Page.SIGN_OFF: """Five steps, one at a time: summary, draft, style and audio, sign, release.

- A signature covers the source, the record, the amendments and, from the approval on, style and audio.
- If less was checked than the policy asks for, a signature takes a tick and a reason.
- A finding of the leak check blocks the release until you judge it.""",
    Page.LIVE: """Mask a camera or a stream while it runs.

- A frame that is not checked in time is black; the picture says why.
- **Mask everything** (`p`) hides the picture at once.""",
    Page.POLICY: """What a release takes in your organisation: how many people, and how much must be checked.

- A change counts for every signature from then on, and is in the audit log.
- It does not change what was signed before.""",
}


_TABS = ("This page", "Shortcuts", "Glossary", "Tour")


def list_pages_with_help() -> tuple[Page, ...]:
    """List the pages that have a text."""
    return tuple(_PAGE_TEXTS)


@st.fragment
def show_help(page: Page, person: Person) -> None:
    """Show the button that opens the help, and the offer of a tour until the person has taken or dismissed it.

    Only this part runs again when a button is pressed: the page itself has nothing to do with it.
    """
    if st.button("Help", icon=":material/help:", width="stretch", key="help"):
        _show_dialog(page, _TABS[0])
    if tour.show_offer(person):
        _show_dialog(page, _TABS[-1])


@st.dialog("Help", width="large")
def _show_dialog(page: Page, tab: str) -> None:
    """Show what the page is for, the shortcuts of all pages, the glossary and the tour."""
    about, keys, words, steps = st.tabs(_TABS, default=tab)
    about.markdown(_PAGE_TEXTS[page])
    with keys:
        shortcuts.show_shortcuts()
    with words:
        glossary.show_glossary()
    with steps:
        tour.show_tour()
