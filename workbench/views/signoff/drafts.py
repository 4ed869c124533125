"""Drafts, on the page Sign off: the video as it would be released, to be looked at before anybody approves."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

import streamlit as st

from engine import access, release
from engine.access import Person
from engine.core.progress import Listener
from engine.errors import VeilError
from engine.release import Draft
from engine.rendering.terms import RenderOptions
from engine.runs import Run
from engine.storage.files import Data
from workbench.auth import current_user
from workbench.components import video_player
from workbench.components.progress_bar import under_way
from workbench.core import caches, session, style_names
from workbench.core.formatting import plain, size
from workbench.views.signoff import summary
from workbench.views.signoff.release_job import draft_of


def drafts(run: Run, case: release.Case) -> None:
    """Show the drafts of a run, and let one be made of what is shown."""
    person = current_user.person()
    may = access.may(person, "draft")
    found = release.drafts_of(run)
    if not may and not found:
        return
    st.header("Draft", anchor=False)
    st.caption(
        "The whole video as it would be released, with DRAFT in every picture and in its name. Look at it before you "
        "sign; it is no release, and may be removed at any time."
    )
    standing = caches.works().of(draft_of(run.id))
    if standing is not None and not standing.ended:
        under_way(draft_of(run.id))
    else:
        if standing is not None and standing.failure:
            st.error(f"The draft came to nothing: {standing.failure}")
        if may and st.button("Make a draft of what is shown", icon=":material/movie:", key="draft-make"):
            order = partial(_make, session.data(), run.id, person, case.terms.options, case.terms.suffix)
            caches.works().start(draft_of(run.id), order)
            st.rerun()
    for place, one in enumerate(found):
        _draft(run, case, one, place, may=may)


def _make(  # noqa: PLR0913, PLR0917 - bound beforehand but for the listener
    data: Data, run_id: str, person: Person, options: RenderOptions, suffix: str, listener: Listener
) -> None:
    release.draft(data, run_id, person, options, suffix=suffix, listener=listener)


def _draft(run: Run, case: release.Case, draft: Draft, place: int, *, may: bool) -> None:
    stale = list(summary.outdated(draft.report, case))
    age = "of what is shown" if not stale else f"older: {' and '.join(stale)} changed since"
    made = f"{draft.made.astimezone():%Y-%m-%d %H:%M:%S}"
    with st.expander(f"Draft of {made} ({size(draft.video.stat().st_size)}), {age}", expanded=place == 0):
        address = f"/api/drafts/{quote(run.id)}/{quote(draft.video.name)}"
        video_player.play(
            f"draft-{draft.video.name}",
            run,
            [video_player.source_of(run), video_player.Shown("Draft", draft.video, address)],
        )
        st.caption(f"Style: {plain(style_names.words_of(draft.report.spec.style))}")
        with st.container(horizontal=True, vertical_alignment="center"):
            if access.may(current_user.person(), "download"):
                look = "color:light-dark(#00659e,#7cc4ee)"
                st.html(f'<a href="{address}?keep=1" download style="{look}">Download the draft</a>', width="content")
            if may and st.button("Remove it", icon=":material/delete:", key=f"remove-{draft.video.name}"):
                _remove(run, draft.video.name)


def _remove(run: Run, name: str) -> None:
    try:
        release.remove_draft(session.data(), run.id, current_user.person(), name)
    except VeilError as error:
        st.error(str(error))
    else:
        st.rerun()
