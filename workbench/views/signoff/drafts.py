"""The drafts section of the Sign off page: renders to watch before anyone approves."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

import streamlit as st

from engine import access, release
from engine.access import Person
from engine.access.run_context import RunContext
from engine.core.progress import ProgressListener
from engine.errors import VeilError
from engine.release import Draft
from engine.rendering.terms import RenderOptions
from engine.runs import Run
from engine.storage.data_folder import DataFolder
from workbench.auth import current_user
from workbench.components import video_player
from workbench.components.progress_bar import show_progress
from workbench.components.task_outcome import show_outcome
from workbench.core import caches, formatting, session, style_names
from workbench.core.formatting import escape_markdown, format_size
from workbench.views.signoff import summary
from workbench.views.signoff.release_job import name_draft_task


def show_draft_outcome(run: Run) -> None:
    """Show what stopped the newest draft of a run."""
    show_outcome(name_draft_task(run.id), "Draft stopped: ")


def show_drafts(run: Run, snapshot: release.SignOffSnapshot) -> None:
    """Show the drafts of a run, and the button that renders a new one."""
    person = current_user.require_person()
    may_draft = access.is_allowed(person, "draft")
    existing_drafts = release.list_drafts(run)
    if not may_draft and not existing_drafts:
        st.info("There is no draft. Operators, reviewers and approvers can render one.", icon=":material/movie:")
        return
    st.caption(
        "The whole video as it would be released, with DRAFT in every frame and in its name. Watch it before you sign. "
        "You can remove it at any time."
    )
    task_state = caches.get_background_tasks().find_state(name_draft_task(run.id))
    if task_state is not None and not task_state.ended:
        show_progress(name_draft_task(run.id))
        st.caption("You can close this page: the draft continues in the background.")
    else:
        show_draft_outcome(run)
        if may_draft and st.button("Render a draft", icon=":material/movie:", key="draft-make"):
            task = partial(
                _make_draft, session.get_data(), run.id, person, snapshot.terms.options, snapshot.terms.suffix
            )
            caches.get_background_tasks().start(name_draft_task(run.id), task)
            st.rerun()
    for place, draft in enumerate(existing_drafts):
        _show_draft(run, snapshot, draft, place, may_draft=may_draft)


def _make_draft(  # noqa: PLR0913, PLR0917 - bound beforehand but for the listener
    data: DataFolder, run_id: str, person: Person, options: RenderOptions, suffix: str, listener: ProgressListener
) -> None:
    release.render_draft(RunContext.open(data, run_id, person), options, suffix=suffix, listener=listener)


def _show_draft(run: Run, snapshot: release.SignOffSnapshot, draft: Draft, place: int, *, may_draft: bool) -> None:
    stale = list(summary.list_outdated_parts(draft.report, snapshot))
    age = "current" if not stale else f"outdated: {' and '.join(stale)} changed since"
    made = f"{draft.made_at.astimezone():%Y-%m-%d %H:%M:%S}"
    with st.expander(f"Draft of {made} ({format_size(draft.video.stat().st_size)}), {age}", expanded=place == 0):
        address = f"/api/drafts/{quote(run.id)}/{quote(draft.video.name)}"
        video_player.show_videos(
            f"draft-{draft.video.name}",
            run,
            [video_player.get_source_video(run), video_player.VideoFile("Draft", draft.video, address)],
        )
        st.caption(f"Style: {escape_markdown(style_names.describe_style(draft.report.spec.style))}")
        with st.container(horizontal=True, vertical_alignment="center"):
            if access.is_allowed(current_user.require_person(), "download"):
                look = "color:light-dark(#00659e,#7cc4ee)"
                st.html(f'<a href="{address}?keep=1" download style="{look}">Download draft</a>', width="content")
            if may_draft and st.button("Remove draft", icon=":material/delete:", key=f"remove-{draft.video.name}"):
                _remove_draft(run, draft.video.name)


def _remove_draft(run: Run, name: str) -> None:
    try:
        release.remove_draft(RunContext.open(session.get_data(), run.id, current_user.require_person()), name)
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))
    else:
        st.rerun()
