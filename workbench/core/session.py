"""What one browser session knows: the data folder, who is there, what is looked at. Session keys live here only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, cast

import streamlit as st

from engine import runs
from engine.audio.spans import AudioSpan
from engine.masking.style import Style
from engine.runs import Run
from engine.storage.data_folder import DataFolder, find_data_folder
from workbench.core.links import PageLocation
from workbench.core.messages import CanvasMessage

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class SessionValue(Generic[_Value]):
    """A value that one session keeps from rerun to rerun.

    Attributes:
        name: in `st.session_state`, unique.
        default: what `get` gives before anything was set.
    """

    name: str
    default: _Value

    def get(self) -> _Value:
        """The value now."""
        return cast("_Value", st.session_state.get(self.name, self.default))

    def is_set(self) -> bool:
        """Whether this session has a value of its own."""
        return self.name in st.session_state

    def set(self, value: _Value) -> None:
        """Keep another value."""
        st.session_state[self.name] = value


@dataclass(frozen=True, slots=True)
class FrameAuditProgress:
    """Frames drawn by lot as far as a person has gone through them.

    Attributes:
        sample_key: the run, its amendments and how many frames were drawn.
        viewed_pages: pages of it that were shown.
        missed_frames: frames that were said to show a face.
    """

    sample_key: str = ""
    viewed_pages: frozenset[int] = frozenset()
    missed_frames: tuple[int, ...] = ()

    def resume_or_reset(self, sample_key: str) -> FrameAuditProgress:
        """This one, or a new one when it is of something else."""
        return self if self.sample_key == sample_key else FrameAuditProgress(sample_key)

    def mark_page_viewed(self, page: int) -> FrameAuditProgress:
        """With one more page that was shown."""
        return replace(self, viewed_pages=self.viewed_pages | {page})

    def toggle_missed_frame(self, index: int) -> FrameAuditProgress:
        """With a frame that shows a face, or that does not after all."""
        return replace(self, missed_frames=tuple(sorted({index}.symmetric_difference(self.missed_frames))))


LAST_SQL = SessionValue("analyse_question", "")
"""The last SQL that was asked in Analyse."""
CHOSEN_VIDEOS: SessionValue[tuple[str, ...]] = SessionValue("chosen", ())
"""Names in the library of what is chosen to be detected."""
UPLOAD_COUNT: SessionValue[int] = SessionValue("uploads", 0)
"""How many times something was uploaded; part of widgets' keys, so that they start anew."""
RUN_LIST_INTERVAL_S: SessionValue[float] = SessionValue("pace", 1.0)
"""Seconds after which lists of runs are looked up again."""
SIGNED_OUT: SessionValue[bool] = SessionValue("left", False)
"""Whether who was here has signed out."""
UPLOAD_ERROR: SessionValue[str] = SessionValue("upload_said", "")
"""What was wrong with the last upload."""
REVIEW_MESSAGE: SessionValue[CanvasMessage | None] = SessionValue("review_told", None)
"""What the Review page says of the last action."""
CHOSEN_STYLES: SessionValue[Mapping[str, Style]] = SessionValue("styles", {})
"""By run, the style that was chosen; of a run that is not named here, what was signed last."""
CHOSEN_AUDIO_SPANS: SessionValue[Mapping[str, tuple[AudioSpan, ...]]] = SessionValue("audio", {})
"""By run, the spans of audio to be replaced; of a run that is not named here, what was signed last."""
FRAME_AUDIT = SessionValue("lot", FrameAuditProgress())
"""The frames drawn by lot that this session looks at."""
LAST_LIVE_SOURCE = SessionValue("live-asked", ("", ""))
"""The kind of source that this session began a live run with last, and its address or path."""
STARTED_LIVE_RUN = SessionValue("live-begun", "")
"""The live run that this session began, by its folder."""
SIGNATURE_MESSAGE: SessionValue[str | None] = SessionValue("signed", None)
"""What the Sign-off page says of the signature that was just made."""


def get_data() -> DataFolder:
    """The data folder of the server."""
    return find_data_folder()


def get_location() -> PageLocation:
    """The run, frame and track that the address names."""
    return PageLocation.from_query(st.query_params.to_dict())


def set_location(location: PageLocation) -> None:
    """Put another place into the address, without leaving the page; what the page shows follows with the next rerun."""
    parameters = location.to_query()
    if st.query_params.to_dict() != parameters:
        st.query_params.from_dict(parameters)


def load_chosen_run() -> Run | None:
    """The run that the address names, None when it names none.

    Raises:
        RunError: there is no such run, or its folder is damaged.
    """
    run_id = get_location().run
    return None if run_id is None else runs.load_run(get_data(), run_id)
