"""The Live page: start form, picture, controls, statistics, and the result when the run has ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from engine.access import Person
from engine.access.live_sources import LiveSource, is_restricted, read_live_sources
from engine.core.wording import format_count
from engine.errors import VeilError
from engine.jobs.library import list_library
from engine.jobs.live_run import BROWSER_CAMERA, LiveRun
from engine.live.controls import LiveControlsState
from engine.live.look_size import LOOK_SIDES_PX
from engine.masking.presets import PRESETS
from engine.masking.shapes import SHAPES
from engine.media.containers import VIDEO_SUFFIXES
from workbench.auth import current_user
from workbench.components import run_header
from workbench.core import formatting, session
from workbench.core.formatting import escape_markdown
from workbench.core.links import Page
from workbench.core.style_names import STYLE_NAMES
from workbench.theme.css import ALARM_KEY, AUTO_REFRESH_KEY
from workbench.views.live.live_runs import explain_black, get_live_runs, note_small_looks, show_picture
from workbench.views.live.result import show_result

_BROWSER_CAMERA, _SERVER_SOURCE = "Camera of this browser", "Camera, stream or file on the server"
_LIBRARY_VIDEO = "Video from the library"
_HOW_IT_WORKS = """**How it works**

- Faces are masked while the picture runs. A frame that the detectors do not finish in time is masked whole.
- **Mask everything** (key `p`) turns the picture black at once.
- You can change style, shape, blur and confidence at any time.
- When you stop, the masked recording and its detection record are kept. The source is not."""
_STYLE_SHAPE = "own"
_AUTOMATIC = "Automatic"
_LOOK_SIZES: dict[str, int | None] = {_AUTOMATIC: None, **{f"{side} pixels": side for side in LOOK_SIDES_PX}}
_SHAPE_NAMES = {_STYLE_SHAPE: "Style's own", **{name: shape.label for name, shape in SHAPES.items()}}
_COVER_REASONS = {
    "start": "before the first detection",
    "source": "after the source was interrupted or changed",
    "cut": "at a new scene",
    "unanswered": "detector did not answer in time",
    "stale": "detector was too slow",
    "lost": "detector had stopped",
    "damaged": "frame was damaged",
    "asked": "on demand",
}
_LOADING_TEXT = "Loading detectors. The picture stays black until they are ready."
_CAMERA_WAIT_TEXT = (
    "Loading detectors and waiting for the camera. The picture stays black until both are ready. If it stays black, "
    "allow this page to use the camera in the browser's settings, then stop and start again."
)
_COVERED_TEXT = "Everything is masked. The run continues."
_STOP_TIMEOUT_S = 20.0
"""Most seconds that a run may take to write its record."""


def show() -> None:
    """Show the page."""
    person = current_user.require_person()
    live = get_live_runs().find_run(person.account)
    on_air = live is not None and not live.has_ended
    st.title(f"Live: {escape_markdown(Path(live.title).name)}" if live and on_air else "Live", anchor=False)
    run_header.require_page_permission(Page.LIVE)
    if live is None or live.has_ended:
        if live is not None:
            show_result(live, person)
        _show_start_form(person)
    else:
        _show_running(live, person)


def _show_start_form(person: Person) -> None:
    """Show the choice of source and style, and the start button."""
    form, explanation = st.columns([5, 3], gap="large")
    with explanation, st.container(border=True):
        st.markdown(_HOW_IT_WORKS)
    with form:
        kinds, last = (_BROWSER_CAMERA, _SERVER_SOURCE, _LIBRARY_VIDEO), session.LAST_LIVE_SOURCE.get()
        kind = st.radio("Source", kinds, kinds.index(last[0] or _BROWSER_CAMERA), horizontal=True, key="live-source")
        source = _choose_source(kind)
        controls = _choose_controls(LiveControlsState(), "begin")
        look_size = st.selectbox(
            "Size of the looks",
            list(_LOOK_SIZES),
            key="live-look-size",
            help="Longest side of the pictures that YOLOv8-face examines. Automatic: as large as this machine can. A "
            "small size is fast and finds large faces only.",
        )
        if st.button("Start", type="primary", icon=":material/play_arrow:", key="live-start"):
            try:
                started = get_live_runs().start_run(
                    session.get_data(), source, person, controls, _LOOK_SIZES[look_size]
                )
            except VeilError as error:
                st.error(formatting.escape_markdown(str(error)))
                return
            session.STARTED_LIVE_RUN.set(started.folder.id)
            session.LAST_LIVE_SOURCE.set((kind, source or ""))
            st.rerun()


def _choose_source(kind: str) -> str | None:
    """Show the choice of source and return it; None is the browser's camera."""
    if kind == _BROWSER_CAMERA:
        st.caption("The browser asks for permission to use the camera. The video goes only to this server.")
        return None
    if kind == _LIBRARY_VIDEO:
        library = {video.name: video.path for video in list_library(session.get_data())}
        if not library:
            st.caption("The library is empty. Upload a video on Detect.")
        names, last = (
            list(library),
            [name for name, path in library.items() if str(path) == session.LAST_LIVE_SOURCE.get()[1]],
        )
        index = names.index(last[0]) if last else None
        chosen = st.selectbox("Video", names, index, placeholder="Choose a video", key="live-video")
        return str(library[chosen]) if chosen else ""
    if is_restricted(session.get_data()):
        return _choose_listed_source()
    cameras = sorted(map(str, Path("/dev").glob("video*")))
    if cameras:
        st.caption(f"Cameras of the server: {', '.join(cameras)}")
    return st.text_input(
        "Address or path",
        session.LAST_LIVE_SOURCE.get()[1],
        key="live-address",
        placeholder="/dev/video0, rtsp://camera/stream, or a video file",
        help="A camera of the server, an RTSP, RTMP, UDP or HTTP address, or a file, which plays at its own speed.",
    )


def _choose_listed_source() -> str:
    """Show the choice of sources that an administrator has listed, and return the source."""
    choices = {name: source for one in read_live_sources(session.get_data()) for name, source in _list_choices(one)}
    if not choices:
        st.caption("No source is listed. An administrator lists them with veil users live-sources.")
    last = [name for name, source in choices.items() if source == session.LAST_LIVE_SOURCE.get()[1]]
    index = list(choices).index(last[0]) if last else None
    chosen = st.selectbox("Source", list(choices), index, placeholder="Choose a source", key="live-listed")
    return choices[chosen] if chosen else ""


def _list_choices(listed: LiveSource) -> Iterator[tuple[str, str]]:
    """Return what can be chosen for a source of the list, by label: itself, or the videos in its folder."""
    folder = Path(listed.address)
    if "://" in listed.address or not folder.is_dir():
        yield listed.name, listed.name
        return
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
            yield f"{listed.name}: {path.relative_to(folder)}", str(path)


def _show_running(live: LiveRun, person: Person) -> None:
    picture, controls = st.columns([5, 2], gap="medium")
    with controls:
        _show_controls(live)
        unmasked = _toggle_raw_view(live, person)
        # By callbacks, here and below: the camera's component starts the script anew whenever it has something to say,
        # and a button that the interrupted script had not reached yet would have been pressed in vain.
        st.button("Stop and save", icon=":material/stop:", key="live-stop", width="stretch", on_click=live.stop)
        if live.is_stopping:
            with st.spinner("Saving the record"):
                live.join(_STOP_TIMEOUT_S)
            st.rerun()
    with picture:
        if unmasked:
            st.warning("Raw view: faces are visible here. The recording stays masked.")
        # The same run may be open in another tab; only the tab that started it sends its camera.
        camera = live.title == BROWSER_CAMERA and session.STARTED_LIVE_RUN.get() == live.folder.id
        show_picture(live, camera=camera, unmasked=unmasked)
    # Below both: on a phone, where columns follow one another, the button that masks everything comes right after the
    # picture.
    below, _ = st.columns([5, 2], gap="medium")
    with below:
        _show_figures(live)


@st.fragment
def _show_controls(live: LiveRun) -> None:
    """Show the controls; they take effect from the next frame on."""
    covered = live.controls.state.cover_all
    label = "Show the picture again" if covered else "Mask everything"
    icon = ":material/visibility:" if covered else ":material/visibility_off:"
    # Red while it would hide everything, and plain while it would show the picture again: the two must not look alike.
    with st.container(key=f"{ALARM_KEY}-{covered}"):
        st.button(
            label,
            type="secondary" if covered else "primary",
            icon=icon,
            key="live-cover",
            width="stretch",
            shortcut="p",
            on_click=_cover_all,
            args=(live, not covered),
        )
    wanted = _choose_controls(live.controls.state, "now")
    if wanted != live.controls.state:
        try:
            live.controls.change(style=wanted.style, strength=wanted.strength, shape=wanted.shape)
            live.controls.change(confidence=wanted.confidence)
        except VeilError as error:
            st.error(formatting.escape_markdown(str(error)))


def _cover_all(live: LiveRun, on: bool) -> None:  # noqa: FBT001 - Streamlit passes it
    live.controls.cover_all(on=on)


def _choose_controls(current: LiveControlsState, key_suffix: str) -> LiveControlsState:
    """Show the widgets for style and confidence, and return what they select."""
    left, right = st.columns(2) if key_suffix == "begin" else (st.container(), st.container())
    styles = list(PRESETS)
    style = left.selectbox(
        "Style",
        styles,
        styles.index(current.style),
        format_func=STYLE_NAMES.__getitem__,
        key=f"live-style-{key_suffix}",
    )
    shapes = list(_SHAPE_NAMES)
    shape = left.selectbox(
        "Mask shape",
        shapes,
        index=shapes.index(current.shape or _STYLE_SHAPE),
        format_func=_SHAPE_NAMES.__getitem__,
        key=f"live-shape-{key_suffix}",
    )
    strength = right.slider(
        "Blur",
        1.0,
        4.0,
        current.strength,
        0.5,
        key=f"live-strength-{key_suffix}",
        help="Multiplies the blur of the style.",
    )
    confidence = right.slider(
        "Confidence",
        0.05,
        0.95,
        current.confidence,
        0.05,
        key=f"live-confidence-{key_suffix}",
        help="Minimum score from which a face is masked. A lower value masks more.",
    )
    return LiveControlsState(
        style=style,
        strength=strength,
        shape=None if shape == _STYLE_SHAPE else shape,
        confidence=round(confidence, 2),
        cover_all=current.cover_all,
    )


def _toggle_raw_view(live: LiveRun, person: Person) -> bool:
    """Show the switch of the raw view and return True if it is on and allowed; each use is recorded."""
    wanted = st.toggle(
        "Raw view", key=f"live-raw-{live.folder.id}", help="Shows the source without masks. Each use is recorded."
    )
    if not wanted:
        live.mask_preview()
        return False
    # Only when it is switched on: each use is recorded, and a rerun of the page is not a use.
    if not live.preview.keeps_unmasked:
        try:
            live.unmask_preview(person)
        except VeilError as error:
            st.error(formatting.escape_markdown(str(error)))
            return False
    return True


@st.fragment(run_every=1.0)
def _show_figures(live: LiveRun) -> None:
    """Show the statistics, refreshed every second."""
    if live.has_ended:
        st.rerun(scope="app")
    with st.container(key=AUTO_REFRESH_KEY):
        _show_status(live)


def _show_status(live: LiveRun) -> None:
    """Show the state of the picture and the statistics."""
    if live.phase == "starting":
        st.info(_CAMERA_WAIT_TEXT if live.title == BROWSER_CAMERA else _LOADING_TEXT, icon=":material/hourglass:")
    elif live.controls.state.cover_all:
        st.error(_COVERED_TEXT, icon=":material/visibility_off:")
    elif live.preview.cover_reason:
        st.warning(" ".join(explain_black(live)), icon=":material/visibility_off:")
    note = note_small_looks(live)
    if note:
        st.info(f"This machine is busy, so it examines smaller pictures. {note}.", icon=":material/speed:")
    figures = live.progress
    counters, covered = figures.counters, sum(figures.counters.covered.values())
    rate, delay, masked_whole, late = st.columns(4)
    rate.metric("Frames per second", f"{figures.frames_per_s:.1f}", help="Shown frames, over the last seconds.")
    delay.metric("Delay", f"{counters.delay_p95:,} ms", help="95 % of the frames were shown within this time.")
    masked_whole.metric(
        "Masked whole", f"{covered:,}", help="Frames that the detectors did not finish in time, or that you masked."
    )
    late.metric("Masked too late", f"{counters.late_faces:,}", help="Faces detected after their frame was shown.")
    examined = " · ".join(f"{name} {count:.1f}/s" for name, count in figures.answers_per_s.items())
    lines = [f"{counters.shown:,} frames shown, {counters.dropped:,} dropped. Examined: {examined or 'none yet'}."]
    if counters.covered:
        lines.append(
            "Masked whole: "
            + "; ".join(f"{n:,} ({_COVER_REASONS.get(why, why)})" for why, n in counters.covered.items())
            + "."
        )
    restarts, reconnects = sum(counters.restarts.values()), counters.reconnects
    events = [f"{format_count(restarts, 'restart')} of detectors"] * (restarts > 0)
    events += [f"{format_count(reconnects, 'reconnection')} of the source"] * (reconnects > 0)
    if events:
        lines.append(f"{', '.join(events)}.")
    st.markdown("  \n".join(f":small[{line}]" for line in lines))
