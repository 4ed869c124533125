"""The result of an ended live run on the Live page: its recording and its detection record."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import streamlit as st

from engine import access, runs
from engine.access import Person
from engine.core.wording import format_count
from engine.errors import VeilError
from engine.jobs.live_run import BROWSER_CAMERA, LiveRun
from engine.runs import Run
from workbench.components import video_player
from workbench.core import formatting, session
from workbench.core.formatting import escape_markdown
from workbench.core.links import Page, PageLocation
from workbench.core.page_table import show_page_link
from workbench.views.signoff import releases

_NO_CAMERA_HELP = (
    "Allow this page to use the camera in the browser's settings, and check that a camera is connected. Then start "
    "again below."
)


def show_result(live: LiveRun, person: Person) -> None:
    """Show how a live run ended, and what it saved."""
    run = runs.load_run(session.get_data(), live.folder.id)
    video = run.folder.live_video
    if live.phase == "failed":
        st.error(escape_markdown(live.failure_message or "The live run failed."))
        # A source that fails in the middle leaves what was shown until then; a camera was there in that case.
        was_shown = run.folder.record.exists()
        never_came = live.title == BROWSER_CAMERA and not was_shown
        st.caption(_NO_CAMERA_HELP if never_came else "Start again below, or choose another source.")
        if not was_shown:
            return
    else:
        counters = live.progress.counters
        covered = sum(counters.covered.values())
        st.success(
            f"The live run has ended ({escape_markdown(Path(live.title).name)}): "
            f"{format_count(counters.shown, 'frame')} {'was' if counters.shown == 1 else 'were'} shown, {covered:,} of "
            "them masked whole. The record is saved."
        )
    with st.expander("Recording and detection record", expanded=True):
        if video.is_file() and run.folder.record.exists() and access.is_allowed(person, "look"):
            _show_video(run, video)
        if access.is_allowed(person, "download"):
            _show_files(run, video)
        if run.source.is_absolute():
            show_page_link(Page.REVIEW, "Review frame by frame", PageLocation(run.id))
        show_page_link(Page.ANALYSE, "Open the record in Analyse", PageLocation(run.id))


def _show_video(run: Run, video: Path) -> None:
    try:
        video_player.show_videos(
            f"shown-{run.id}", run, [video_player.VideoFile("Recording", video, _file_address(run, video))]
        )
    except VeilError as error:
        st.error(formatting.escape_markdown(str(error)))


def _show_files(run: Run, video: Path) -> None:
    files = ((video, "masked recording"), (run.folder.record, "detection record"))
    releases.show_downloads([(_file_address(run, path), path, words) for path, words in files if path.is_file()])


def _file_address(run: Run, path: Path) -> str:
    return f"/api/live/{quote(run.id)}/{quote(path.name)}"
