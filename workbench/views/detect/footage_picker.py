"""The choice of videos from the library, and uploads into it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import streamlit as st

from engine.core.wording import format_count
from engine.errors import VeilError
from engine.jobs.library import LibraryVideo, import_video, list_library
from workbench.auth import current_user
from workbench.components import sample_clip
from workbench.core import formatting, session

UPLOAD_MB = 200
_ROOT = PurePosixPath()


def choose() -> list[LibraryVideo]:
    """Show the choice of videos and the uploader, and return the chosen videos."""
    data = session.get_data()
    chooser, adder = st.columns([3, 2], gap="large")
    library = {footage.name: footage for footage in list_library(data)}
    with adder:
        _show_uploader()
    with chooser:
        chosen = st.multiselect(
            "Footage",
            list(library),
            default=[name for name in session.CHOSEN_VIDEOS.get() if name in library],
            format_func=lambda name: (
                f"{name}, {formatting.format_size(library[name].bytes)}" if name in library else name
            ),
            placeholder="Choose one or more videos" if library else "The library is empty",
            help=f"Videos in {data.library}, of any size. Several videos are detected one after the other.",
            key=_widget_key(),
            wrap=True,
        )
        session.CHOSEN_VIDEOS.set(tuple(chosen))
        _show_folder_choice(list(library), chosen)
        if not library:
            st.caption(
                f"Copy videos of any size into {formatting.escape_markdown(str(data.library))}, or upload one here."
            )
            sample_clip.show_sample_button()
    return [library[name] for name in chosen if name in library]


def clear_choice() -> None:
    """Clear the choice."""
    session.CHOSEN_VIDEOS.set(())
    _renew_widgets()


def _show_folder_choice(names: Sequence[str], chosen: Sequence[str]) -> None:
    """Offer to add all videos of a folder to the choice, if there is more than one."""
    folders = find_folders(names)
    if not folders:
        return
    folder = st.selectbox(
        "Add a folder",
        list(folders),
        index=None,
        format_func=lambda name: f"{name or 'Whole library'} ({format_count(len(folders[name]), 'video')})",
        placeholder="Add all videos of a folder",
        label_visibility="collapsed",
        key=f"folder-{session.UPLOAD_COUNT.get()}",
    )
    if folder is not None:
        session.CHOSEN_VIDEOS.set(tuple(dict.fromkeys((*chosen, *folders[folder]))))
        _renew_widgets()
        st.rerun()


def find_folders(names: Sequence[str]) -> dict[str, list[str]]:
    """Return the videos of each folder with at least two, its subfolders included; "" stands for the library."""
    folders: dict[str, list[str]] = {}
    for name in sorted(names):
        for parent in PurePosixPath(name).parents:
            folders.setdefault("" if parent == _ROOT else str(parent), []).append(name)
    return {folder: videos for folder, videos in sorted(folders.items()) if len(videos) > 1}


def _show_uploader() -> None:
    uploads = st.file_uploader(
        "Upload to the library",
        accept_multiple_files=True,
        max_upload_size=UPLOAD_MB,
        key=f"upload-{session.UPLOAD_COUNT.get()}",
        help="For larger files, copy them into the folder of the library.",
    )
    if session.UPLOAD_ERROR.get():
        st.error(session.UPLOAD_ERROR.get())
    if not uploads:
        return
    added, error_text = [], ""
    try:
        for upload in uploads:
            with st.spinner("Saving the upload"):
                path = import_video(session.get_data(), current_user.require_person(), upload.name, upload)
            added.append(str(path.relative_to(session.get_data().library)))
    # Videos that were saved before the error stay in the library and are chosen.
    except VeilError as error:
        error_text = str(error)
    session.UPLOAD_ERROR.set(error_text)
    session.CHOSEN_VIDEOS.set(tuple(dict.fromkeys((*session.CHOSEN_VIDEOS.get(), *added))))
    _renew_widgets()
    st.rerun()


def _widget_key() -> str:
    return f"footage-{session.UPLOAD_COUNT.get()}"


def _renew_widgets() -> None:
    """Change the keys of the widgets. Streamlit then frees the uploaded bytes and resets the choice."""
    session.UPLOAD_COUNT.set(session.UPLOAD_COUNT.get() + 1)
