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
from engine.storage.files import Data, data_folder
from workbench.core.links import Place
from workbench.core.messages import Told

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Key(Generic[_Value]):
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
class Sheet:
    """Frames drawn by lot as far as a person has gone through them.

    Attributes:
        of_what: the run, its amendments and how many frames were drawn.
        turned_to: pages of it that were shown.
        missed: frames that were said to show a face.
    """

    of_what: str = ""
    turned_to: frozenset[int] = frozenset()
    missed: tuple[int, ...] = ()

    def of(self, what: str) -> Sheet:
        """This one, or a new one when it is of something else."""
        return self if self.of_what == what else Sheet(what)

    def turned(self, page: int) -> Sheet:
        """With one more page that was shown."""
        return replace(self, turned_to=self.turned_to | {page})

    def ticked(self, index: int) -> Sheet:
        """With a frame that shows a face, or that does not after all."""
        return replace(self, missed=tuple(sorted({index}.symmetric_difference(self.missed))))


QUESTION = Key("analyse_question", "")
"""The last SQL that was asked in Analyse."""
CHOSEN: Key[tuple[str, ...]] = Key("chosen", ())
"""Names in the library of what is chosen to be detected."""
UPLOADS: Key[int] = Key("uploads", 0)
"""How many times something was uploaded; part of widgets' keys, so that they start anew."""
PACE: Key[float] = Key("pace", 1.0)
"""Seconds after which lists of runs are looked up again."""
LEFT: Key[bool] = Key("left", False)
"""Whether who was here has signed out."""
UPLOAD_SAID: Key[str] = Key("upload_said", "")
"""What was wrong with the last upload."""
REVIEW_TOLD: Key[Told | None] = Key("review_told", None)
"""What the Review page says of the last action."""
STYLES: Key[Mapping[str, Style]] = Key("styles", {})
"""By run, the style that was chosen; of a run that is not named here, what was signed last."""
AUDIO: Key[Mapping[str, tuple[AudioSpan, ...]]] = Key("audio", {})
"""By run, the spans of audio to be replaced; of a run that is not named here, what was signed last."""
LOT = Key("lot", Sheet())
"""The frames drawn by lot that this session looks at."""
LIVE_ASKED = Key("live-asked", ("", ""))
"""The kind of source that this session began a live run with last, and its address or path."""
BEGUN = Key("live-begun", "")
"""The live run that this session began, by its folder."""
SIGNED: Key[str | None] = Key("signed", None)
"""What the Sign-off page says of the signature that was just made."""


def data() -> Data:
    """The data folder of the server."""
    return data_folder()


def place() -> Place:
    """The run, frame and track that the address names."""
    return Place.of(st.query_params.to_dict())


def go(to: Place) -> None:
    """Put another place into the address, without leaving the page; what the page shows follows with the next rerun."""
    parameters = to.parameters()
    if st.query_params.to_dict() != parameters:
        st.query_params.from_dict(parameters)


def chosen_run() -> Run | None:
    """The run that the address names, None when it names none.

    Raises:
        RunError: there is no such run, or its folder is damaged.
    """
    run_id = place().run
    return None if run_id is None else runs.get(data(), run_id)
