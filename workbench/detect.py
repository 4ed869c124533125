"""The parts of the Detect page: which footage, how, what is to be expected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import streamlit as st

from engine.detectors.registry import names
from engine.errors import VeilError
from engine.jobs.footage import Footage, library, take_in
from engine.jobs.outlook import Outlook, outlook
from engine.jobs.queue import submit
from engine.media.facts import MediaInfo
from engine.modes import MODES
from engine.runs import Asked
from workbench import caches, session, wording

UPLOAD_MB = 200


@dataclass(frozen=True, slots=True)
class Card:
    """A mode in the words of who uses it."""

    title: str
    words: str


CARDS = {
    "on-prem": Card("On-prem", "MTCNN on this machine. Nothing leaves it."),
    "hybrid": Card("Hybrid", "YOLOv8-face and CenterFace: what either sees is covered. Finds the most."),
    "cloud": Card("Cloud", "Amazon Rekognition. Frames leave this machine, and each call costs money."),
    "live": Card("Live", "The light detectors of the live mode. Quick, for a first look."),
}
_POLICIES = {
    "all": "all",
    "every:2": "every second",
    "every:5": "every fifth",
    "contested": "those in which a local detector leaves doubt",
}


def choose_footage() -> list[Footage]:
    """Let a person choose from the library, or add to it."""
    data = session.data()
    chooser, adder = st.columns([3, 2], gap="large")
    with adder:
        _upload()
    with chooser:
        there = {footage.name: footage for footage in library(data)}
        if not there:
            st.info(
                f"The library is empty. Copy videos into {data.footage}, of any size, or upload one here.",
                icon=":material/video_library:",
            )
        chosen = st.multiselect(
            "Footage",
            list(there),
            default=[name for name in session.ADDED.get() if name in there],
            format_func=lambda name: f"{name}, {wording.size(there[name].bytes)}" if name in there else name,
            placeholder="Choose one or more videos",
            help=f"Videos in {data.footage}. Several are detected one after another.",
            key=f"footage-{session.UPLOADS.get()}",
        )
    return [there[name] for name in chosen]


def _upload() -> None:
    uploads = st.file_uploader(
        f"Upload, up to {UPLOAD_MB} MB a file",
        accept_multiple_files=True,
        max_upload_size=UPLOAD_MB,
        key=f"upload-{session.UPLOADS.get()}",
    )
    if not uploads:
        return
    added = []
    try:
        for upload in uploads:
            with st.spinner("Writing it into the library"):
                added.append(take_in(session.data(), session.person(), upload.name, upload).name)
    except VeilError as error:
        st.error(str(error))
        return
    session.ADDED.set((*session.ADDED.get(), *added))
    # Another key is another uploader, which lets go of what the first one holds in memory.
    session.UPLOADS.set(session.UPLOADS.get() + 1)
    st.rerun()


def choose_options() -> Asked:
    """Let a person choose how faces are found."""
    chooser, options = st.columns([3, 2], gap="large")
    with chooser:
        mode = st.radio(
            "Mode",
            list(CARDS),
            format_func=lambda name: CARDS[name].title,
            captions=[card.words for card in CARDS.values()],
        )
    with options, st.expander("Options", expanded=mode == "cloud"):
        return _options(mode)


def _options(mode: str) -> Asked:
    usual = list(MODES[mode].detectors)
    chosen = st.multiselect("Detectors", names(), default=usual, key=f"detectors-{mode}")
    workers = st.number_input(
        "Workers",
        min_value=0,
        max_value=64,
        help="Processes for each detector, or calls under way at once; 0 leaves it to Veil.",
    )
    damage = st.radio(
        "A frame that cannot be decoded",
        ("stop", "cover"),
        format_func={"stop": "ends the run", "cover": "is covered whole"}.__getitem__,
        horizontal=True,
    )
    asking, most = _spending() if "rekognition" in chosen else ({}, None)
    return Asked(
        mode=mode,
        detectors=None if chosen == usual or not chosen else tuple(chosen),
        asking=asking,
        max_cost=most,
        workers=int(workers) or None,
        on_damage=cast("Literal['stop', 'cover']", damage),
    )


def _spending() -> tuple[dict[str, bool | int | float | str | None], float | None]:
    """What may be sent, and what it may cost."""
    policy = st.selectbox("Frames that are sent", list(_POLICIES), format_func=_POLICIES.__getitem__)
    left, right = st.columns(2)
    with left:
        most = st.number_input(
            "Most it may cost, USD",
            min_value=0.0,
            value=None,
            placeholder="no limit",
            help="It stops before it costs more.",
        )
    with right:
        price = st.number_input("Price of a call, USD", min_value=0.0, value=0.001, format="%.4f")
    return {"policy": policy, "price": float(price)}, None if most is None else float(most)


def expectation(footage: Footage, asked: Asked) -> bool:
    """Say what is in a file and what to expect of it; whether it can be started."""
    try:
        info = caches.look_at(footage.path)
        expected = outlook(session.data(), info, asked)
    except VeilError as error:
        st.error(str(error))
        return False
    with st.container(border=True):
        _summary(footage, info, expected)
        with st.expander("What is in the file, and what becomes of it"):
            _streams(info)
    return True


def _summary(footage: Footage, info: MediaInfo, expected: Outlook) -> None:
    video = info.video
    seconds = video.seconds(video.last_pts + video.step)
    st.markdown(f"**{footage.name.replace('_', chr(92) + '_')}**")
    told = [
        f"{video.display.width} x {video.display.height}",
        f"{wording.count(video.packets, 'frame')}, {wording.duration(seconds)}",
        _audio(info),
        _dropped(info),
    ]
    st.markdown(" · ".join(told))
    if expected.seconds is not None:
        basis = "by earlier runs on this machine" if expected.measured else "roughly; no earlier run to go by"
        st.caption(f"Takes about {wording.duration(expected.seconds)} ({basis}).")
    if expected.leaves:
        st.warning(expected.leaves, icon=":material/cloud_upload:")
    if info.cut_short:
        st.warning(f"The file is not complete: {info.cut_short}")


def _audio(info: MediaInfo) -> str:
    kept = sum(stream.kind == "audio" and stream.fate == "copied" for stream in info.streams)
    return f"{wording.count(kept, 'audio stream')} kept bit for bit" if kept else "no audio"


def _dropped(info: MediaInfo) -> str:
    fates = [stream.fate for stream in info.streams] + [extra.fate for extra in info.extras]
    dropped = fates.count("dropped")
    return f"{dropped} other streams or tags dropped" if dropped else "nothing dropped"


def _streams(info: MediaInfo) -> None:
    rows = [(f"{stream.kind} {stream.codec}", stream.fate, stream.reason) for stream in info.streams]
    rows += [(f"{extra.kind} {extra.name}", extra.fate, extra.reason) for extra in info.extras]
    st.table({"what": [row[0] for row in rows], "becomes": [row[1] for row in rows], "why": [row[2] for row in rows]})
    st.caption(f"SHA-256 of the file: {info.sha256}")


def start(chosen: list[Footage], asked: Asked) -> None:
    """Put runs of the chosen footage into the queue, and say so."""
    try:
        for footage in chosen:
            sha256 = caches.look_at(footage.path).sha256
            submit(session.data(), session.person(), Path(footage.path), asked, sha256)
    except VeilError as error:
        st.error(str(error))
        return
    session.ADDED.set(())
    session.UPLOADS.set(session.UPLOADS.get() + 1)
    st.toast(f"{wording.count(len(chosen), 'run')} in the queue; you may close this page.")
    st.rerun()
