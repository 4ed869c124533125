"""State of one browser session. All session keys are defined here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, cast

import streamlit as st

from engine import runs
from engine.audio.spans import AudioSpan
from engine.jobs.cases import Priority
from engine.masking.style import Style
from engine.runs import Run
from engine.storage.data_folder import DataFolder, find_data_folder
from workbench.core.links import PageLocation
from workbench.core.messages import CanvasMessage

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class SessionValue(Generic[_Value]):
    """A value that a session keeps between reruns.

    Attributes:
        name: unique key in `st.session_state`.
        default: value before anything was set. All sessions share it, so it is never changed in place.
    """

    name: str
    default: _Value

    def get(self) -> _Value:
        """Return the current value."""
        return cast("_Value", st.session_state.get(self.name, self.default))

    def is_set(self) -> bool:
        """Return True if this session has set the value."""
        return self.name in st.session_state

    def set(self, value: _Value) -> None:
        """Set the value."""
        st.session_state[self.name] = value

    def take(self) -> _Value:
        """Return the current value, and set the default: what is shown once is not shown again."""
        value = self.get()
        self.set(self.default)
        return value


@dataclass(frozen=True, slots=True)
class FrameAuditProgress:
    """The progress of a random sample check.

    Attributes:
        sample_key: identifies the sample by run, review and size.
        viewed_pages: pages of the sample that were shown.
        missed_frames: frames in which the person marked a visible face.
    """

    sample_key: str = ""
    viewed_pages: frozenset[int] = frozenset()
    missed_frames: tuple[int, ...] = ()

    def resume_or_reset(self, sample_key: str) -> FrameAuditProgress:
        """Return this progress, or a new one if the sample is another one."""
        return self if self.sample_key == sample_key else FrameAuditProgress(sample_key)

    def mark_page_viewed(self, page: int) -> FrameAuditProgress:
        """Add a page that was shown."""
        return replace(self, viewed_pages=self.viewed_pages | {page})

    def toggle_missed_frame(self, index: int) -> FrameAuditProgress:
        """Mark or unmark a frame in which a face is visible."""
        return replace(self, missed_frames=tuple(sorted({index}.symmetric_difference(self.missed_frames))))


ANALYSED_RUNS: SessionValue[tuple[str, ...] | list[str]] = SessionValue("analyse_runs", ())
"""Runs chosen on Analyse: the value of its widget, which a button extends."""
LAST_SQL = SessionValue("analyse_question", "")
"""The last SQL statement that was run in Analyse."""
SQL_ERROR = SessionValue("analyse_sql_error", "")
"""Why the last SQL statement was not saved or removed, empty if it was."""
NOTE_ERROR = SessionValue("note-error", "")
"""Why the last note was not added or done, empty if it was."""
CHOSEN_VIDEOS: SessionValue[tuple[str, ...]] = SessionValue("chosen", ())
"""Names of the library videos that are chosen on Detect."""
RUN_PRIORITY: SessionValue[Priority] = SessionValue("run-priority", "normal")
"""Priority with which Detect starts runs."""
ASKED_TO_SEND: SessionValue[bool] = SessionValue("asked-to-send", False)
"""True while Detect asks whether frames may be sent to a remote service."""
UPLOAD_COUNT: SessionValue[int] = SessionValue("uploads", 0)
"""Number of uploads so far. It is part of the keys of widgets, so that they reset after an upload."""
RUN_LIST_INTERVAL_S: SessionValue[float] = SessionValue("pace", 1.0)
"""Seconds between refreshes of the lists of runs. It is kept here because a rerun defines the fragment anew."""
RUN_PLACES: SessionValue[dict[str, str]] = SessionValue("run-places", {})
"""By run, the group of Home in which it is shown, until the person leaves the page or updates the list."""
SHOWN_RUNS: SessionValue[Mapping[str, int]] = SessionValue("shown-runs", {})
"""By list of runs, how many of them are shown."""
LIST_ERROR: SessionValue[str] = SessionValue("list-error", "")
"""Why the last action on a run of a list failed; empty if it did not. It stays until the next action or page."""
_LAST_PAGE = SessionValue("last-page", "")
SIGNED_OUT: SessionValue[bool] = SessionValue("left", False)
"""True if the previous user signed out."""
UPLOAD_ERROR: SessionValue[str] = SessionValue("upload_said", "")
"""Error of the last upload, empty if it succeeded. An upload ends with a rerun, which would lose the message."""
REVIEW_MESSAGE: SessionValue[CanvasMessage | None] = SessionValue("review_told", None)
"""Message of the Review page about the last action."""
CHOSEN_STYLES: SessionValue[Mapping[str, Style]] = SessionValue("styles", {})
"""By run, the style that was chosen in this session. Other runs have the style that was signed last."""
CHOSEN_AUDIO_SPANS: SessionValue[Mapping[str, tuple[AudioSpan, ...]]] = SessionValue("audio", {})
"""By run, the audio spans that were chosen in this session. Other runs have the spans that were signed last."""
FRAME_AUDIT = SessionValue("lot", FrameAuditProgress())
"""The random sample check of this session."""
LAST_LIVE_SOURCE = SessionValue("live-asked", ("", ""))
"""Kind and address of the source with which this session last started a live run."""
STARTED_LIVE_RUN = SessionValue("live-begun", "")
"""Folder name of the live run that this session started."""
IS_JUST_APPROVED: SessionValue[bool] = SessionValue("just-approved", False)
"""True from an approval until Sign off is drawn again, which then opens the step that comes next."""
IS_TOUR_DISMISSED: SessionValue[bool] = SessionValue("tour-dismissed", False)
"""True once this person has started or dismissed the tour in this session."""
TOUR_STEP: SessionValue[int] = SessionValue("tour-step", 0)
"""The step of the tour that is shown."""
IS_POLICY_SAVED: SessionValue[bool] = SessionValue("policy-saved", False)
"""True from a change of the policy until the page Policy is drawn again."""
SIGNATURE_MESSAGE: SessionValue[str | None] = SessionValue("signed", None)
"""Message of the Sign off page about the newest signature. It survives the rerun after signing."""


def enter_page(name: str) -> None:
    """Note the page that is shown; on another one than before, lists begin anew."""
    if name != _LAST_PAGE.get():
        _LAST_PAGE.set(name)
        RUN_PLACES.set({})
        SHOWN_RUNS.set({})
        LIST_ERROR.set("")
        ASKED_TO_SEND.set(False)


def get_data() -> DataFolder:
    """Return the data folder of the server."""
    return find_data_folder()


def get_location() -> PageLocation:
    """Return the run, frame and track in the address."""
    return PageLocation.from_query(st.query_params.to_dict())


def set_location(location: PageLocation) -> None:
    """Change run, frame and track in the address. The page follows at its next rerun."""
    parameters = location.to_query()
    # Each change is sent to the browser, so an address that is already right is left alone.
    if st.query_params.to_dict() != parameters:
        st.query_params.from_dict(parameters)


def load_chosen_run() -> Run | None:
    """Load the run in the address, None if it names none.

    Raises:
        RunError: there is no such run, or its folder is damaged.
    """
    run_id = get_location().run
    return None if run_id is None else runs.load_run(get_data(), run_id)
