"""A player that shows videos side by side and keeps them synchronised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from workbench.components.bundle import bundle

_HERE = Path(__file__).parent


def _read_asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


_component = st.components.v2.component(
    "veil_player", html=_read_asset("player.html"), css=_read_asset("player.css"), js=bundle(_HERE / "js" / "main.js")
)


@dataclass(frozen=True, slots=True)
class Video:
    """A video that is played.

    Attributes:
        label: a short name.
        source: address that the browser loads.
        note: a remark behind the label.
    """

    label: str
    source: str
    note: str = ""


def show_player(key: str, videos: Sequence[Video], frame_s: float) -> None:
    """Show videos side by side.

    Args:
        key: key of the widget.
        videos: one or two, of the same length.
        frame_s: duration of a frame in seconds.
    """
    values = [{"label": video.label, "source": video.source, "note": video.note} for video in videos]
    _component(key=key, data={"videos": values, "frame": frame_s})
