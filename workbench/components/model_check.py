"""Whether the models of the detectors are there; without them a run would end before it began."""

from __future__ import annotations

import streamlit as st

from engine.errors import InputError
from engine.jobs.estimate import find_missing_models
from engine.record import DetectOptions
from workbench.core import session


def check_models(options: DetectOptions) -> bool:
    """Whether a detection has its models; if not, it is said how to get them."""
    try:
        missing = find_missing_models(session.get_data(), options)
    except InputError as error:
        st.error(str(error))
        return False
    if missing:
        st.error(
            f"Models of the detectors are missing ({', '.join(missing)}): run `veil models fetch` in a terminal, then "
            "try again.",
            icon=":material/download:",
        )
    return not missing
