"""A check that the models are installed, made before a run is started."""

from __future__ import annotations

import streamlit as st

from engine.errors import InputError
from engine.jobs.estimate import find_missing_models
from engine.record import DetectOptions
from workbench.core import formatting, session


def check_models(options: DetectOptions) -> bool:
    """Return True if all models are installed; otherwise show how to install them."""
    try:
        missing = find_missing_models(session.get_data(), options)
    except InputError as error:
        st.error(formatting.escape_markdown(str(error)))
        return False
    if missing:
        st.error(
            f"Models are missing ({', '.join(missing)}). Run `veil models fetch` in a terminal, then try again.",
            icon=":material/download:",
        )
    return not missing
