"""Videos of a run side by side; a video that some browsers cannot play is shown as a small copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import streamlit as st

from engine import release
from engine.access import Person
from engine.access.run_context import RunContext
from engine.core.progress import ProgressListener
from engine.runs import Run
from engine.storage.data_folder import DataFolder
from workbench.auth import current_user
from workbench.components.player import Video, show_player
from workbench.components.progress_bar import show_progress
from workbench.core import caches, session


@dataclass(frozen=True, slots=True)
class VideoFile:
    """A video to play.

    Attributes:
        label: a short name.
        file: the video.
        address: its address on this server.
    """

    label: str
    file: Path
    address: str


def get_source_video(run: Run) -> VideoFile:
    """Return the source of a run."""
    return VideoFile("Source", run.source, f"/api/sources/{quote(run.id)}")


def show_videos(key: str, run: Run, videos: Sequence[VideoFile]) -> None:
    """Show videos of a run side by side, once there is a version of each that every browser can play.

    Raises:
        SourceError: one of them cannot be read.
    """
    playbacks = [release.choose_playback(run, video.file, caches.get_media_info(video.file)) for video in videos]
    missing = [video for video, playback in zip(videos, playbacks, strict=True) if playback.file is None]
    if missing:
        _make_missing_copies(key, run, missing)
        return
    playable = [_to_player_video(run, video, playback) for video, playback in zip(videos, playbacks, strict=True)]
    record = caches.get_record(run)
    step = record.to_seconds(-1) / max(1, len(record.frames) - 1)
    # A video of one frame has no step, but the player needs one.
    show_player(key, playable, step or 0.04)


def _to_player_video(run: Run, video: VideoFile, playable: release.Playback) -> Video:
    if playable.copy_reason is None or playable.file is None:
        return Video(video.label, video.address)
    note = f"small copy, because some browsers cannot play {playable.copy_reason}"
    return Video(video.label, f"/api/copies/{quote(run.id)}/{quote(playable.file.name)}", note)


def _make_missing_copies(key: str, run: Run, missing: Sequence[VideoFile]) -> None:
    """Make the missing copies in the background and show the progress."""
    name = f"copies {run.id} {key}"
    state = caches.get_background_tasks().find_state(name)
    # A failed task is not started again by a rerun, only by the button: the reason of the failure may remain.
    if state is not None and state.ended and state.failure:
        st.error(state.failure, icon=":material/videocam_off:")
        if st.button("Try again", key=f"{key}-again"):
            caches.get_background_tasks().forget_finished(name)
            st.rerun()
        return
    # Each rerun comes here; `start` does nothing while the task runs.
    files = tuple(video.file for video in missing)
    caches.get_background_tasks().start(
        name, partial(_make_copies, session.get_data(), run.id, current_user.require_person(), files)
    )
    labels = " and ".join(video.label.lower() for video in missing)
    show_progress(name, f"Some browsers cannot play this {labels}. Making a small copy for this page.")


def _make_copies(
    data: DataFolder, run_id: str, person: Person, files: Sequence[Path], listener: ProgressListener
) -> None:
    for file in files:
        release.make_playback_copy(RunContext.open(data, run_id, person), file, listener=listener)
