"""Many planned runs as one table, where a card for each would fill the page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.core import formatting
from workbench.views.detect.planned_run import PlannedRun


def show_planned_table(planned_runs: Sequence[PlannedRun]) -> None:
    """Show a row for each video: size, length, sound, estimate, and what is wrong with it."""
    rows = [_build_row(planned) for planned in planned_runs]
    st.dataframe(rows, hide_index=True, width="stretch", key="planned-runs")


def _build_row(planned: PlannedRun) -> dict[str, object]:
    info, video = planned.info, planned.info.video
    seconds = planned.estimate.seconds
    return {
        "video": planned.footage.name,
        "size": f"{video.display.width} x {video.display.height}",
        "frames": video.packets,
        "length": formatting.format_duration(video.to_seconds(video.last_pts + video.step)),
        "audio streams": sum(stream.kind == "audio" and stream.fate == "copied" for stream in info.streams),
        "estimate": "" if seconds is None else formatting.format_duration(seconds),
        "note": "incomplete file" if info.cut_short else "",
    }
