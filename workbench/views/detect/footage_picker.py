"""Which videos are to be detected: some of the library, or what is uploaded into it."""

from __future__ import annotations

import streamlit as st

from engine.errors import VeilError
from engine.jobs.library import Footage, library, take_in
from workbench.auth import current_user
from workbench.components import sample_clip
from workbench.core import formatting, session

UPLOAD_MB = 200


def choose() -> list[Footage]:
    """Let a person choose from the library, or add to it."""
    data = session.data()
    chooser, adder = st.columns([3, 2], gap="large")
    there = {footage.name: footage for footage in library(data)}
    with adder:
        _upload()
    with chooser:
        chosen = st.multiselect(
            "Footage",
            list(there),
            default=[name for name in session.CHOSEN.get() if name in there],
            format_func=lambda name: f"{name}, {formatting.size(there[name].bytes)}" if name in there else name,
            placeholder="Choose one or more videos" if there else "The library is empty",
            help=f"Videos in {data.footage}, of any size. Several are detected one after another.",
            key=_key(),
            wrap=True,
        )
        session.CHOSEN.set(tuple(chosen))
        if not there:
            st.caption(f"Copy videos into {formatting.plain(str(data.footage))}, of any size, or upload one.")
            sample_clip.offer()
    return [there[name] for name in chosen if name in there]


def forget() -> None:
    """Let go of what is chosen."""
    session.CHOSEN.set(())
    _renew()


def _upload() -> None:
    uploads = st.file_uploader(
        "Upload into the library",
        accept_multiple_files=True,
        max_upload_size=UPLOAD_MB,
        key=f"upload-{session.UPLOADS.get()}",
        help="Larger files are copied into the library's folder.",
    )
    if session.UPLOAD_SAID.get():
        st.error(session.UPLOAD_SAID.get())
    if not uploads:
        return
    added, said = [], ""
    try:
        for upload in uploads:
            with st.spinner("Writing it into the library"):
                taken = take_in(session.data(), current_user.person(), upload.name, upload)
            added.append(str(taken.relative_to(session.data().footage)))
    except VeilError as error:
        said = str(error)
    session.UPLOAD_SAID.set(said)
    session.CHOSEN.set(tuple(dict.fromkeys((*session.CHOSEN.get(), *added))))
    _renew()
    st.rerun()


def _key() -> str:
    return f"footage-{session.UPLOADS.get()}"


def _renew() -> None:
    """Another key is another widget: the uploader lets go of what it holds in memory, the chooser begins anew."""
    session.UPLOADS.set(session.UPLOADS.get() + 1)
