"""What is left of a live run that is over, on the page Live: what was shown, and its record."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import streamlit as st

from engine import access, runs
from engine.access import Person
from engine.errors import VeilError
from engine.jobs.live_run import CAMERA, LiveSession
from engine.runs import Run
from engine.runs.run import recording
from workbench.components import video_player
from workbench.core import session
from workbench.core.formatting import count, plain
from workbench.core.links import Page, Place
from workbench.core.page_table import way_to
from workbench.views.signoff import releases

_NO_CAMERA = (
    "If the browser has refused the camera, allow it for this page in the browser's settings, and see that one is "
    "connected; then start again below."
)


def outcome(live: LiveSession, person: Person) -> None:
    """Say how a live run ended, and offer what it left."""
    if live.phase == "failed":
        st.error(live.sentence or "The live run failed.")
        st.caption(_NO_CAMERA if live.title == CAMERA else "Begin again below, or choose another source.")
        return
    counters = live.figures.counters
    covered = sum(counters.covered.values())
    st.success(
        f"The live run has ended ({plain(Path(live.title).name)}): {count(counters.shown, 'frame')} "
        f"{'was' if counters.shown == 1 else 'were'} shown, {covered:,} of them covered whole. Its record is kept."
    )
    run = runs.get(session.data(), live.folder.id)
    video = recording(run.folder)
    with st.expander("What was shown, and its record", expanded=True):
        if video.is_file() and run.folder.record.exists() and access.may(person, "look"):
            _played(run, video)
        if access.may(person, "download"):
            _files(run, video)
        if run.source.is_absolute():
            way_to(Page.REVIEW, "Review it frame by frame", Place(run.id))
        way_to(Page.ANALYSE, "The record in Analyse", Place(run.id))


def _played(run: Run, video: Path) -> None:
    try:
        video_player.play(f"shown-{run.id}", run, [video_player.Shown("As it was shown", video, _address(run, video))])
    except VeilError as error:
        st.error(str(error))


def _files(run: Run, video: Path) -> None:
    files = ((video, "what was shown, faces hidden"), (run.folder.record, "detection record"))
    releases.downloads([(_address(run, path), path, words) for path, words in files if path.is_file()])


def _address(run: Run, path: Path) -> str:
    return f"/api/live/{quote(run.id)}/{quote(path.name)}"
