"""The parts of the Detect page: what is to be expected of what was chosen, the start, and the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from engine.errors import VeilError
from engine.jobs.footage import Footage
from engine.jobs.outlook import Outlook, Past, outlook, past
from engine.jobs.queue import submit, waiting
from engine.media.facts import MediaInfo
from engine.runs import Asked, Register
from workbench import caches, runlist, session, wording
from workbench.detect import footage, models

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
    equipped = not chosen or models.there(asked)
    if len(ready) > 1:
        st.markdown(_in_all(ready))
    where = " in the cloud" if any(prospect.outlook.leaves for prospect in ready) else ""
    words = f"Start {wording.count(len(ready), 'run')}{where}" if ready else "Start"
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
    runlist.show(runlist.listed(register))
    runlist.damage(register.damaged)


def _prospect(one: Footage, asked: Asked, earlier: tuple[Past, ...]) -> Prospect | None:
    try:
        info = caches.look_at(one.path)
        return Prospect(one, info, outlook(earlier, info, asked))
    except VeilError as error:
        st.error(wording.plain(str(error)))
        return None


def _summary(prospect: Prospect) -> None:
    info, expected, video = prospect.info, prospect.outlook, prospect.info.video
    with st.container(border=True, gap="xsmall"):
        told = [
            f"{video.display.width} x {video.display.height}",
            wording.count(video.packets, "frame"),
            wording.duration(video.seconds(video.last_pts + video.step)),
            _audio(info),
            _takes(expected),
        ]
        st.markdown(f"**{wording.plain(prospect.footage.name)}**  \n{' · '.join(part for part in told if part)}")
        if expected.leaves:
            st.warning(expected.leaves, icon=":material/cloud_upload:")
        if info.cut_short:
            st.warning(f"The file is not complete: {wording.plain(info.cut_short)}", icon=":material/content_cut:")
        with st.expander(_dropped(info)):
            _streams(info)


def _takes(expected: Outlook) -> str:
    if expected.seconds is None:
        return ""
    basis = "by earlier runs" if expected.measured else "roughly; no like run to go by"
    return f"takes about {wording.duration(expected.seconds)} ({basis})"


def _audio(info: MediaInfo) -> str:
    kept = sum(stream.kind == "audio" and stream.fate == "copied" for stream in info.streams)
    return f"{wording.count(kept, 'audio stream')} kept bit for bit" if kept else "no audio"


def _dropped(info: MediaInfo) -> str:
    """What the output will lack, in a line: streams by kind, then tags, those of the container last."""
    streams = Counter(stream.kind for stream in info.streams if stream.fate == "dropped")
    told = [wording.count(number, f"{kind} stream") for kind, number in streams.items()]
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
        told.append(f"about {wording.duration(seconds)}, one after another")
    spent = [one.spent for one in expected if one.spent is not None]
    if spent:
        most = "at most " if any(one.at_most for one in spent) else ""
        frames, dollars = sum(one.frames for one in spent), sum(one.dollars for one in spent)
        told.append(f"{most}{wording.count(frames, 'frame')} leave this machine, {most}USD {dollars:,.3f}")
    return " · ".join(told)


def _queue() -> str:
    before = len(waiting(session.data()))
    behind = f" after {wording.count(before, 'run')} that wait" if before else ""
    return f"It goes on in the background{behind}; you may close this page."


def _start(ready: Iterable[Prospect], asked: Asked) -> None:
    """Put runs into the queue, and say so."""
    begun = 0
    try:
        for prospect in ready:
            submit(session.data(), session.person(), prospect.footage.path, asked, prospect.info.sha256)
            begun += 1
    except VeilError as error:
        st.error(wording.plain(str(error)))
        return
    footage.forget()
    st.toast(f"{wording.count(begun, 'run')} in the queue; you may close this page.")
    st.rerun()
