"""The live runs of the server, one per person, and their WebRTC tracks to and from a browser.

The browser's camera feeds a sink. The picture that comes back is another track, fed from the run's preview. The only
connection between the two is the run, which masks the faces or covers the frame.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any

import streamlit as st
from streamlit_webrtc import WebRtcMode, create_video_sink_track, create_video_source_track, webrtc_streamer
from streamlit_webrtc.component import generate_frontend_component_key
from streamlit_webrtc.webrtc import SignallingTimeoutError

from engine.access import Person
from engine.errors import InputError
from engine.jobs.live_run import LiveRun
from engine.live.controls import LiveControlsState
from engine.live.record_facts import plan_detector_roles
from engine.live.run import LiveOptions
from engine.media.stream.live_preview import NO_FRAME, make_black_frame, write_caption, write_note
from engine.storage.data_folder import DataFolder
from workbench.views.live.camera_decoder import isolate_decoders, take_frame
from workbench.views.live.name_queries import switch_off_name_queries

_PREVIEW_RATE_HZ = 25
"""Preview frames per second that the browser gets; the run itself has the rate of its source."""
_CONSTRAINTS = {
    "video": {"width": {"ideal": 1280}, "height": {"ideal": 720}, "frameRate": {"ideal": _PREVIEW_RATE_HZ}},
    "audio": False,
}
_VIDEO_CSS: Any = {"width": "100%", "aspectRatio": "16 / 9", "objectFit": "contain", "background": "#000"}
_NOT_CONNECTED_TEXT = (
    "The preview did not connect in time; this machine may be too busy. The run continues and is recorded with masks."
)
_BUTTON_LABELS = {"start": "Start camera", "stop": "Stop camera", "select_device": "Choose camera"}
_SLOW = ("This machine is too busy for this picture.", "Use a smaller picture or a lower frame rate.")
_SMALL_LOOK_NOTE = "Faces under {} pixels may not be found"
"""In the picture while the looks are smaller than usual. In Latin letters, for OpenCV."""
_BLACK_TEXTS: Mapping[str, tuple[str, ...]] = {
    "asked": ("You masked everything.", "Press p to show the picture again."),
    "loading": ("Loading the detectors.", "The picture appears when they are ready."),
    "start": ("Waiting for the first detection.",),
    "source": ("The source was interrupted.", "Waiting for a new detection."),
    "cut": ("New scene.", "Waiting for its first detection."),
    "unanswered": _SLOW,
    "stale": _SLOW,
    "lost": ("A detector stopped and starts again.", "The picture comes back by itself."),
    NO_FRAME: ("No picture comes from the source.", "Check the camera and the connection."),
    "damaged": ("The source sends damaged frames.", "Check the camera and the connection."),
}
"""Why the picture is black and what to do, by the reason of the engine. In Latin letters, for OpenCV."""


@dataclass
class LiveRunTable:
    """The live runs of a server, by account. Shared by all sessions."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _runs: dict[str, LiveRun] = field(default_factory=dict)

    def find_run(self, account: str) -> LiveRun | None:
        """Return the last live run that a person started; it may have ended."""
        return self._runs.get(account)

    def start_run(
        self,
        data: DataFolder,
        source: str | None,
        person: Person,
        controls: LiveControlsState,
        look_side_px: int | None = None,
    ) -> LiveRun:
        """Start a live run.

        Args:
            data: the data folder.
            source: a file, a camera of the server or an address; None: the camera of the browser.
            person: the person who starts it.
            controls: first state of the controls.
            look_side_px: longest side of the pictures of the detector that runs beside. None: as large as the machine
                can.

        Raises:
            InputError: this person already has a live run in progress, or there is no source.
            AccessError: the person may not run the live mode.
            TargetError: its folder cannot be made.
        """
        with self._lock:
            last_run = self._runs.get(person.account)
            if last_run is not None and not last_run.has_ended:
                raise InputError("You already have a live run in progress. Stop it first.")
            options = LiveOptions(detector_roles=plan_detector_roles(look_side_px=look_side_px))
            live_run = LiveRun(data, source, person=person, controls_state=controls, options=options)
            self._runs[person.account] = live_run
            return live_run

    def remove_ended(self, account: str) -> None:
        """Forget a run that has ended."""
        with self._lock:
            last_run = self._runs.get(account)
            if last_run is not None and last_run.has_ended:
                del self._runs[account]


@st.cache_resource
def get_live_runs() -> LiveRunTable:
    """Return the live runs of this server."""
    switch_off_name_queries()
    isolate_decoders()
    return LiveRunTable()


def show_picture(live: LiveRun, *, camera: bool, unmasked: bool = False) -> None:
    """Show the picture of a live run, and send the browser's camera to it if that is its source.

    Args:
        live: the run.
        camera: True if its frames come from this browser.
        unmasked: show the source without masks; the caller has checked that this person may see it.
    """
    key = live.folder.id
    camera_track: Any = (
        create_video_sink_track(partial(take_frame, live), f"in-{key}", on_ended=live.end_source) if camera else None
    )
    # The track is made once for a run and only gets a new callback after that: a second track would end the camera's.
    preview_track = create_video_source_track(
        build_picture_source(live, unmasked=unmasked), f"out-{key}", fps=_PREVIEW_RATE_HZ
    )
    try:
        webrtc_streamer(
            key=f"live-{key}",
            mode=WebRtcMode.SENDRECV if camera else WebRtcMode.RECVONLY,
            rtc_configuration={"iceServers": []},  # no STUN or TURN server: nothing outside is contacted
            media_stream_constraints=_CONSTRAINTS,
            desired_playing_state=not live.has_ended and _is_mounted(f"live-{key}"),
            sink_video_track=camera_track,
            source_video_track=preview_track,
            sendback_audio=False,
            video_html_attrs={"autoPlay": True, "controls": False, "muted": True, "style": _VIDEO_CSS},
            translations=_BUTTON_LABELS,
            media_toggle_controls=False,
        )
    except SignallingTimeoutError:
        st.warning(_NOT_CONNECTED_TEXT)
        if st.button("Connect again", icon=":material/refresh:", key="live-connect"):
            st.rerun()


def explain_black(live: LiveRun) -> tuple[str, ...]:
    """Say why the newest picture is black and what to do; empty while a picture is shown."""
    if live.controls.state.cover_all:
        return _BLACK_TEXTS["asked"]
    if live.phase == "starting":
        return _BLACK_TEXTS["loading"]
    reason = live.preview.cover_reason
    return _BLACK_TEXTS.get(reason, ("The picture is masked.",)) if reason else ()


def note_small_looks(live: LiveRun) -> str:
    """Say which faces may not be found while the looks are smaller than usual; empty while they are not."""
    face_px = live.progress.counters.smallest_face_px
    return _SMALL_LOOK_NOTE.format(face_px) if face_px else ""


def _is_mounted(key: str) -> bool:
    """Return True once the component is in the page and has reported back.

    If it is to play before its code has loaded, it starts a connection each time it is drawn, and with several
    connections the answer reaches the wrong one. So it starts to play only after it is mounted.
    """
    return st.session_state.get(generate_frontend_component_key(key)) is not None


def build_picture_source(live: LiveRun, *, unmasked: bool = False) -> Callable[[int, Fraction], Any]:
    """Return a function that gives the newest picture of a run, and black on any error."""

    def get_newest(_pts: int, _time_base: Fraction) -> Any:
        try:
            frame = live.preview.get_frame(unmasked=unmasked)
            if unmasked:
                return frame
            lines = explain_black(live)
            if lines:
                return write_caption(frame, lines)
            note = note_small_looks(live)
            return write_note(frame, note) if note else frame
        except Exception:  # noqa: BLE001 - after any error, only black is safe to show
            return make_black_frame()

    return get_newest
