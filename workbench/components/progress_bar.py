"""How far the work is that the server does beside its pages."""

from __future__ import annotations

import streamlit as st

from workbench.auth import current_user
from workbench.core import caches
from workbench.core.formatting import count

_STAGES = {
    "probe": "Reading the source",
    "sign-off": "Checking",
    "render": "Rendering",
    "verify": "Verifying",
    "leaks": "Searching for faces left over",
    "plant": "Measuring with planted faces",
    "copy": "Copying",
}


@st.fragment(run_every=1.0)
def under_way(name: str, words: str = "") -> None:
    """Show how far a piece of work is; refreshes itself, and the whole page when it ends.

    Args:
        name: of the work.
        words: what to say of it; the stage and the frames when left out.
    """
    current_user.still_there()
    standing = caches.works().of(name)
    if standing is None or standing.ended:
        st.rerun()
    share = min(1.0, standing.done / standing.total) if standing.total else 0.0
    stage = _STAGES.get(standing.stage, standing.stage or "Beginning")
    if standing.stage == "probe":
        told = f"{stage}: {int(100 * share)} %"
    else:
        told = f"{stage}: {count(standing.done, 'frame')}" + (f" of {standing.total:,}" if standing.total else "")
    st.progress(share, words or told)
