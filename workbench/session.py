"""What one browser session knows: the data folder, who is there, what is looked at. Session keys live here only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import streamlit as st

from engine import runs
from engine.errors import RunError
from engine.runs import Run
from engine.store import Data, data_folder
from workbench.links import Place

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

    def set(self, value: _Value) -> None:
        """Keep another value."""
        st.session_state[self.name] = value


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


def run_or_stop() -> Run:
    """The run that the address names; where there is none, the page says what to do and ends here."""
    try:
        run = chosen_run()
    except RunError as error:
        st.error(str(error))
        run = None
    else:
        if run is None:
            st.info("No run is chosen.")
    if run is None:
        st.page_link("pages/home.py", label="Choose a run on Home", icon=":material/home:")
        st.stop()
    return run
