"""The parts of the Detect page: what is to be expected of what was chosen, the start, and the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from engine.errors import VeilError
from engine.jobs.estimate import Outlook, Past, outlook, past
from engine.jobs.library import Footage
from engine.jobs.queue import submit, waiting
from engine.media.facts import MediaInfo
from engine.runs import Asked, Register
from workbench.auth import current_user
from workbench.components import model_check, run_list
from workbench.core import caches, formatting, session
from workbench.views.detect import footage_picker

_NAMED = 6
"""Things that are dropped which are named in one line."""
_OF_THE_CONTAINER = frozenset({
    *("compatible_brands", "encoder", "handler_name", "language", "major_brand", "minor_version", "vendor_id"),
})  # fmt: skip
"""Tags that say how a file was written, and nothing of what is in it."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """A video that can be detected: what is in it, and what it will take."""

    footage: Footage
    info: MediaInfo
    outlook: Outlook


def prepare(chosen: list[Footage], asked: Asked) -> None:
    """Say what is in each of the chosen videos and what to expect; start the runs when that is wanted."""
    earlier = past(session.data())
    ready = [prospect for one in chosen if (prospect := _prospect(one, asked, earlier)) is not None]
    for prospect in ready:
        _summary(prospect)
    equipped = not chosen or model_check.there(asked)
    if len(ready) > 1:
        st.markdown(_in_all(ready))
    where = " in the cloud" if any(prospect.outlook.leaves for prospect in ready) else ""
    words = f"Start {formatting.count(len(ready), 'run')}{where}" if ready else "Start"
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(words, type="primary", icon=":material/play_arrow:", disabled=not (ready and equipped)):
            _start(ready, asked)
        if not chosen:
            st.caption("Choose footage first.")
        elif ready and equipped:
            st.caption(_queue())


def history(register: Register) -> None:
    """All runs: what goes on, what is over, and what is damaged."""
    if not (register.runs or register.damaged):
        st.caption("No runs yet.")
    run_list.show(run_list.listed(register))
    run_list.damage(register.damaged)


def _prospect(one: Footage, asked: Asked, earlier: tuple[Past, ...]) -> Prospect | None:
    try:
        info = caches.look_at(one.path)
        return Prospect(one, info, outlook(earlier, info, asked))
    except VeilError as error:
        st.error(formatting.plain(str(error)))
        return None


def _summary(prospect: Prospect) -> None:
    info, expected, video = prospect.info, prospect.outlook, prospect.info.video
    with st.container(border=True, gap="xsmall"):
        told = [
            f"{video.display.width} x {video.display.height}",
            formatting.count(video.packets, "frame"),
            formatting.duration(video.seconds(video.last_pts + video.step)),
            _audio(info),
            _takes(expected),
        ]
        st.markdown(f"**{formatting.plain(prospect.footage.name)}**  \n{' · '.join(part for part in told if part)}")
        if expected.leaves:
            st.warning(expected.leaves, icon=":material/cloud_upload:")
        if info.cut_short:
            st.warning(f"The file is not complete: {formatting.plain(info.cut_short)}", icon=":material/content_cut:")
        with st.expander(_dropped(info)):
            _streams(info)


def _takes(expected: Outlook) -> str:
    if expected.seconds is None:
        return ""
    basis = "by earlier runs" if expected.measured else "roughly; no like run to go by"
    return f"takes about {formatting.duration(expected.seconds)} ({basis})"


def _audio(info: MediaInfo) -> str:
    kept = sum(stream.kind == "audio" and stream.fate == "copied" for stream in info.streams)
    return f"{formatting.count(kept, 'audio stream')} kept bit for bit" if kept else "no audio"


def _dropped(info: MediaInfo) -> str:
    """What the output will lack, in a line: streams by kind, then tags, those of the container last."""
    streams = Counter(stream.kind for stream in info.streams if stream.fate == "dropped")
    told = [formatting.count(number, f"{kind} stream") for kind, number in streams.items()]
    tags = {extra.name.rpartition(": ")[2] for extra in info.extras if extra.fate == "dropped"}
    told += sorted(tags, key=lambda tag: (tag in _OF_THE_CONTAINER, tag))
    if len(told) > _NAMED:
        told = [*told[:_NAMED], f"{len(told) - _NAMED} more"]
    return f"Dropped: {', '.join(told)}" if told else "Nothing is dropped"


def _streams(info: MediaInfo) -> None:
    rows = [(f"{stream.kind} {stream.codec}", stream.fate, stream.reason) for stream in info.streams]
    rows += [(f"{extra.kind} {extra.name}", extra.fate, extra.reason) for extra in info.extras]
    st.table({"what": [row[0] for row in rows], "becomes": [row[1] for row in rows], "why": [row[2] for row in rows]})
    st.caption(f"SHA-256 of the file: {info.sha256}")


def _in_all(ready: Iterable[Prospect]) -> str:
    """What all of them take, one after another."""
    expected = [prospect.outlook for prospect in ready]
    seconds = sum(one.seconds for one in expected if one.seconds is not None)
    told = [f"**In all {len(expected)} videos**"]
    if seconds:
        told.append(f"about {formatting.duration(seconds)}, one after another")
    spent = [one.spent for one in expected if one.spent is not None]
    if spent:
        most = "at most " if any(one.at_most for one in spent) else ""
        frames, dollars = sum(one.frames for one in spent), sum(one.dollars for one in spent)
        told.append(f"{most}{formatting.count(frames, 'frame')} leave this machine, {most}USD {dollars:,.3f}")
    return " · ".join(told)


def _queue() -> str:
    before = len(waiting(session.data()))
    behind = f" after {formatting.count(before, 'run')} that wait" if before else ""
    return f"It goes on in the background{behind}; you may close this page."


def _start(ready: Iterable[Prospect], asked: Asked) -> None:
    """Put runs into the queue, and say so."""
    begun = 0
    try:
        for prospect in ready:
            submit(session.data(), current_user.person(), prospect.footage.path, asked, prospect.info.sha256)
            begun += 1
    except VeilError as error:
        st.error(formatting.plain(str(error)))
        return
    footage_picker.forget()
    st.toast(f"{formatting.count(begun, 'run')} in the queue; you may close this page.")
    st.rerun()
