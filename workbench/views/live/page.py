"""The parts of the page Live: begin, picture, controls, figures, and what was left when it ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from engine.access import Person
from engine.errors import VeilError
from engine.jobs.library import library
from engine.jobs.live_run import CAMERA, LiveSession
from engine.live.controls import Look
from engine.masking.presets import PRESETS
from workbench.auth import current_user
from workbench.components import run_header
from workbench.core import session
from workbench.core.formatting import count, plain
from workbench.core.links import Page
from workbench.core.style_names import STYLE_NAMES
from workbench.theme.css import WATCHED
from workbench.views.live.live_runs import desk, show_picture
from workbench.views.live.result import outcome

_BROWSER, _SERVER = "Camera of this browser", "Camera, stream or file of the server"
_LIBRARY = "Video of the library"
_HOW = """**How it works**

- Faces are hidden while the picture runs. A frame that was not judged in time is covered whole.
- **Cover everything** (key `p`) blackens the picture at once, whatever is in it.
- Style, shape, blur and confidence can be changed while it runs.
- What was shown and its detection record are kept when you stop; what came in is not."""
_OWN = "own"
_SHAPES = {_OWN: "Style's own", "ellipse": "Ellipse", "rounded": "Rounded", "rectangle": "Rectangle"}
_REASONS = {
    "start": "before the detectors had looked",
    "source": "after an interruption or change of the source",
    "cut": "at a new scene",
    "unanswered": "for want of an answer in time",
    "stale": "because a detector was too slow",
    "lost": "because a detector had died",
    "damaged": "not decoded whole",
    "asked": "because somebody asked for it",
}
_LOADING = "The detectors are loading; the picture is black until they have looked."
_AWAITED = (
    "The detectors are loading and the camera is awaited; the picture is black until both are there. If nothing comes, "
    "allow this page to use the camera in the browser's settings, then stop and start again."
)
_COVERED = "Everything is covered, whatever is in the picture; the run goes on."
_ENDING = 20.0
"""Seconds that a run may take to write its record."""


def show() -> None:
    """The page."""
    person = current_user.person()
    live = desk().of(person.account)
    on_air = live is not None and not live.over
    st.title(f"Live: {plain(Path(live.title).name)}" if live and on_air else "Live", anchor=False)
    run_header.admit(Page.LIVE)
    if live is None or live.over:
        if live is not None:
            outcome(live, person)
        _begin(person)
    else:
        _going_on(live, person)


def _begin(person: Person) -> None:
    """Choose a source and start."""
    form, words = st.columns([5, 3], gap="large")
    with words, st.container(border=True):
        st.markdown(_HOW)
    with form:
        kinds, last = (_BROWSER, _SERVER, _LIBRARY), session.LIVE_ASKED.get()
        kind = st.radio("Source", kinds, kinds.index(last[0] or _BROWSER), horizontal=True, key="live-source")
        source = _source(kind)
        look = _look(Look(), "begin")
        if st.button("Start", type="primary", icon=":material/play_arrow:", key="live-start"):
            try:
                begun = desk().begin(session.data(), source, person, look)
            except VeilError as error:
                st.error(str(error))
                return
            session.BEGUN.set(begun.folder.id)
            session.LIVE_ASKED.set((kind, source or ""))
            st.rerun()


def _source(kind: str) -> str | None:
    """What is to be looked at; None for the browser's camera."""
    if kind == _BROWSER:
        st.caption(
            "The browser asks whether this page may use the camera. Its pictures go to this server and nowhere else."
        )
        return None
    if kind == _LIBRARY:
        there = {one.name: one.path for one in library(session.data())}
        if not there:
            st.caption("The library is empty; Detect takes videos into it.")
        names, last = list(there), [name for name, path in there.items() if str(path) == session.LIVE_ASKED.get()[1]]
        index = names.index(last[0]) if last else None
        chosen = st.selectbox("Video", names, index, placeholder="Choose a video", key="live-video")
        return str(there[chosen]) if chosen else ""
    cameras = sorted(map(str, Path("/dev").glob("video*")))
    if cameras:
        st.caption(f"Cameras of the server: {', '.join(cameras)}.")
    return st.text_input(
        "Address or path",
        session.LIVE_ASKED.get()[1],
        key="live-address",
        placeholder="/dev/video0, rtsp://camera/stream, or a video file",
        help="A camera of the server, an RTSP, RTMP, UDP or HTTP address, or a file, read at its own speed.",
    )


def _going_on(live: LiveSession, person: Person) -> None:
    picture, controls = st.columns([5, 2], gap="medium")
    with controls:
        _controls(live)
        unmasked = _raw_view(live, person)
        if st.button("Stop and keep the record", icon=":material/stop:", key="live-stop", width="stretch"):
            with st.spinner("Writing the record"):
                live.stop(_ENDING)
            st.rerun()
    with picture:
        if unmasked:
            st.warning("Raw view: faces are not hidden here. What is recorded stays masked.")
        # In another tab the same run is looked at; only the one that began it sends its camera.
        camera = live.title == CAMERA and session.BEGUN.get() == live.folder.id
        show_picture(live, camera=camera, unmasked=unmasked)
        _figures(live)


@st.fragment
def _controls(live: LiveSession) -> None:
    """What acts on the next frames."""
    covered = live.controls.look.cover_all
    label = "Show the picture again" if covered else "Cover everything"
    icon = ":material/visibility:" if covered else ":material/visibility_off:"
    if st.button(label, type="primary", icon=icon, key="live-cover", width="stretch", shortcut="p"):
        live.controls.panic(on=not covered)
        st.rerun(scope="fragment")
    wanted = _look(live.controls.look, "now")
    if wanted != live.controls.look:
        try:
            live.controls.change(style=wanted.style, strength=wanted.strength, shape=wanted.shape)
            live.controls.change(confidence=wanted.confidence)
        except VeilError as error:
            st.error(str(error))


def _look(now: Look, when: str) -> Look:
    """Widgets for a look."""
    left, right = st.columns(2) if when == "begin" else (st.container(), st.container())
    styles: list[Any] = list(PRESETS)
    style = left.selectbox(
        "Style", styles, styles.index(now.style), format_func=STYLE_NAMES.__getitem__, key=f"live-style-{when}"
    )
    shapes = list(_SHAPES)
    shape: Any = left.selectbox(
        "Shape of the masks",
        shapes,
        index=shapes.index(now.shape or _OWN),
        format_func=_SHAPES.__getitem__,
        key=f"live-shape-{when}",
    )
    strength = right.slider(
        "Blur", 1.0, 4.0, now.strength, 0.5, key=f"live-strength-{when}", help="Times the style's own."
    )
    confidence = right.slider(
        "Confidence",
        0.05,
        0.95,
        now.confidence,
        0.05,
        key=f"live-confidence-{when}",
        help="Least score with which a face begins to be covered. Lower covers more.",
    )
    return Look(
        style=style,
        strength=strength,
        shape=None if shape == _OWN else shape,
        confidence=round(confidence, 2),
        cover_all=now.cover_all,
    )


def _raw_view(live: LiveSession, person: Person) -> bool:
    """Whether this person wants to see what comes in, and may; each time it is asked for goes on record."""
    wanted = st.toggle("Raw view", key=f"live-raw-{live.folder.id}", help="Shows the source unmasked. Goes on record.")
    if not wanted:
        live.mask()
        return False
    if not live.preview.unmasked:
        try:
            live.unmask(person)
        except VeilError as error:
            st.error(str(error))
            return False
    return True


@st.fragment(run_every=1.0)
def _figures(live: LiveSession) -> None:
    """How it goes; refreshes itself."""
    if live.over:
        st.rerun(scope="app")
    with st.container(key=WATCHED):
        _told(live)


def _told(live: LiveSession) -> None:
    """What the picture is, and the figures of it."""
    if live.phase == "starting":
        st.info(_AWAITED if live.title == CAMERA else _LOADING, icon=":material/hourglass:")
    elif live.controls.look.cover_all:
        st.info(_COVERED, icon=":material/visibility_off:")
    figures = live.figures
    counters, covered = figures.counters, sum(figures.counters.covered.values())
    rate, delay, whole, late = st.columns(4)
    rate.metric("Frames a second", f"{figures.rate:.1f}", help="Shown, over the last seconds.")
    delay.metric("Delay", f"{counters.delay_p95:,} ms", help="95 % of the frames went out within this time.")
    whole.metric(
        "Covered whole", f"{covered:,}", help="Frames that were not judged in time, or were covered on demand."
    )
    late.metric("Seen late", f"{counters.late_faces:,}", help="Faces reported after their frame was shown unmasked.")
    looks = " · ".join(f"{name} {count:.1f}/s" for name, count in figures.looks.items())
    lines = [f"{counters.shown:,} frames shown, {counters.dropped:,} dropped. Looks: {looks or 'none yet'}."]
    if counters.covered:
        lines.append("Covered " + "; ".join(f"{n:,} {_REASONS[why]}" for why, n in counters.covered.items()) + ".")
    restarts, again = sum(counters.restarts.values()), counters.reconnects
    told = [f"{count(restarts, 'restart')} of detectors"] * (restarts > 0)
    told += [f"{count(again, 'reconnection')} of the source"] * (again > 0)
    if told:
        lines.append(f"{', '.join(told)}.")
    st.markdown("  \n".join(f":small[{line}]" for line in lines))
